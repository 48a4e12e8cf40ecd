"""What the rooms that hold a picture model share: finding and loading a Stable-Diffusion-family pipeline, and prompts
with learnt style vectors spliced in.

The files named for diffusers load it; importing this package alone loads nothing.
"""
