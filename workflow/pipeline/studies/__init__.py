"""What decides each result: pure functions of the config, study by study. No Snakemake here."""
