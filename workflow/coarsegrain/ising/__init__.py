"""The two-dimensional Ising model: exact results, observables and a sampler."""
