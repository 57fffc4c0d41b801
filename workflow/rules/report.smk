# What is made of all studies together.


rule results:
    # All tables and figures.
    input:
        EXPERIMENTS[""].write_report().inputs["results"],
    localrule: True


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
