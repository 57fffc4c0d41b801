# What is made of all studies together.


rule results:
    # All tables and figures.
    input:
        EXPERIMENT.write_report().inputs["results"],
    localrule: True


rule variants:
    # All that the variants in the config make.
    input:
        EXPERIMENT.tables_of_variants(),
    localrule: True


use rule local_stage as collect_variants with:
    input:
        unpack(made_from("collect_variants")),
    output:
        table="<results>/tables/variants/{table}.csv",
    pathvars:
        job="collect_variants/{table}",
    params:
        **stage("collect_variants"),


use rule local_stage as report with:
    input:
        unpack(made_from("write_report")),
    output:
        report="<results>/report.html",
        config="<results>/config.json",
    pathvars:
        job="report",
    params:
        **stage(
            "write_report",
            snakemake_python=sys.executable,
            snakefile=f"{WORKFLOW}/Snakefile",
        ),
