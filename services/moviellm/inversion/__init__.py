"""Stage 2, style immobilization: reference pictures and words → a learnt token that holds a movie's look.

`lessons` tells the whole job without any model library; `diffusers_teacher` does the optimisation; `pictures`,
`naming` and `templates` are what it needs; `recipe` holds the numbers.
"""
