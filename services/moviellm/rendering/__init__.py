"""Stage 3: frames and style references, rendered in batches across scenes and movies behind Ray Serve's gRPC proxy.

ray_app     the deployment: a replica holds one pipeline; `@serve.batch` gathers single pictures into batches
servicer    one request: what lies in the store already, what waits, what is painted, stored and told
orders      what a request may ask for
picture     the words of this room
styles      learnt styles read from the artifact store, a few kept
diffusers_painter, pillow_jpeg, ray_door, ray_cluster, ray_metrics    the vendors
"""
