# The report: Snakemake's own, made by Snakemake from figures, captions and tables.
TABLES = [
    "model_losses",
    "model_architectures",
    "local_entropy",
    "thermometer",
    "beta_flow",
    "beta_fixed_point",
    "certificates",
]


rule autoencoder:
    # Study A: all of its tables and figures.
    input:
        expand(f"{RESULTS}/tables/{{table}}.csv", table=TABLES),
        expand(
            f"{RESULTS}/figures/{{figure}}.{{ending}}",
            figure=FIGURES,
            ending=["pdf", "png"],
        ),
    localrule: True


rule report:
    input:
        results=rules.autoencoder.input,
        captions=[f"{WORKFLOW}/report/{name}.rst" for name in ["workflow", *FIGURES]],
    output:
        report=f"{RESULTS}/report.html",
        config=f"{RESULTS}/config.json",
    log:
        f"{RESULTS}/logs/report.log",
    benchmark:
        f"{RESULTS}/benchmarks/report.tsv"
    localrule: True
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        # what runs it decides nothing
        python=sys.executable,
        snakefile=f"{WORKFLOW}/Snakefile",
        spec=canonical_json({"config": config}),
        code=code_digest("stages.write_report"),
    message:
        "Writing the report: {output.report}"
    shell:
        "python -m stages.write_report --results {input.results} --captions {input.captions}"
        " --report {output.report} --config {output.config}"
        " --snakemake-python {params.python:q} --snakefile {params.snakefile:q}"
        " --spec {params.spec:q} --code {params.code} > {log} 2>&1"
