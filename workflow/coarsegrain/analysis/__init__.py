"""Observables of lattices and tables: entropy, statistics, flow."""
