"""Stage 3: frames and style references, rendered in batches across scenes and movies behind Ray Serve's gRPC proxy.

ray_app     the deployment: a replica holds one pipeline; `@serve.batch` gathers single pictures into batches
servicer    converts, asks, converts
studio      one request: what lies in the store already, what waits, is painted and told
choice      the best of a few attempts at a picture, and what was wrong with the others
faults      what can be seen to be wrong with a picture: black, flat, the same as another
critic      who looks closer: a scorer and a safety checker, on a thread of their own
gallery     pictures in the store; `making` is how one came about, told in its own file
measuring   the figures of a whole movie
orders      what a request may ask for
picture     the words of this room
styles      learnt styles and characters read from the artifact store, a few kept
diffusers_painter, pillow_jpeg, ray_door, ray_cluster, ray_metrics    the vendors
"""
