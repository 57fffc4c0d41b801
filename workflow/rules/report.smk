# What is made of all studies together.


rule results:
    # All tables and figures.
    input:
        EXPERIMENT.write_report().inputs["results"],
    localrule: True


# Tables and figures of one study, by its name.
for study in EXPERIMENT.studies:

    rule:
        name:
            study
        input:
            EXPERIMENT.results_of(study),
        localrule: True


use rule stage as judge_claims with:
    input:
        unpack(made_from("judge_claims")),
    output:
        table=update("<results>/tables/claims.csv"),
    pathvars:
        job="judge_claims",
    localrule: True
    params:
        **stage("judge_claims"),


use rule figure as plot_claims with:
    input:
        unpack(made_from("plot_claims")),
    output:
        **figure("claims", of_variants=False),
    pathvars:
        job="plot_claims",
    localrule: True
    params:
        **stage("plot_claims"),


rule variants:
    # All that the variants in the config make.
    input:
        EXPERIMENT.results_of_variants(),
    localrule: True


use rule stage as collect_variants with:
    input:
        unpack(made_from("collect_variants")),
    output:
        table=update("<results>/tables/variants/{table}.csv"),
    pathvars:
        job="collect_variants/{table}",
    wildcard_constraints:
        table=any_of(EXPERIMENT.tables),
    localrule: True
    params:
        **stage("collect_variants"),


use rule stage as judge_variants with:
    input:
        unpack(made_from("judge_variants")),
    output:
        table=update("<results>/tables/variants/claims.csv"),
    pathvars:
        job="judge_variants",
    localrule: True
    params:
        **stage("judge_variants"),


use rule stage as report with:
    input:
        unpack(made_from("write_report")),
    output:
        report=update("<results>/report.html"),
        config=update("<results>/config.json"),
    pathvars:
        job="report",
    localrule: True
    params:
        **stage(
            "write_report",
            snakemake_python=sys.executable,
            snakefile=f"{WORKFLOW}/Snakefile",
        ),
