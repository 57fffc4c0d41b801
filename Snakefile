# The way in: `snakemake --cores 4` from this folder. Everything is in workflow/Snakefile.
include: "workflow/rules/config_files.smk"


configfile: "config.yaml"


include: "workflow/Snakefile"


# An included file never sets the default target, so it is named here.
rule default:
    default_target: True
    input:
        rules.all.input,
    localrule: True
