"""Evaluation as the paper does it, pairwise against a reference, without the bias of showing one side first."""
