"""What the rooms that hold a picture model share: loading a Stable-Diffusion-family pipeline, and prompts with learnt
style vectors spliced in.

Both files are named for diffusers, the library they adapt; importing this package alone loads nothing.
"""
