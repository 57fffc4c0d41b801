"""What is what in a results folder: its files against their sidecars and the workflow as it is."""
