"""What stands between Snakemake and the library: config, specs, code digests, provenance."""
