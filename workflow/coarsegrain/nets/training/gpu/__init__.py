"""Steps of training on a GPU, through CuPy or torch, all members side by side.

Nothing outside imports these modules before a GPU is to be used: they need torch or CuPy.
"""
