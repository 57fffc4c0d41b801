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
        rules.autoencoder.input,
        captions=[f"{WORKFLOW}/report/{figure}.rst" for figure in FIGURES],
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
    params:
        config=canonical_json(config),
        python=sys.executable,
        snakefile=f"{WORKFLOW}/Snakefile",
    message:
        "Writing the report: {output.report}"
    shell:
        "printf '%s\\n' {params.config:q} > {output.config} &&"
        " {params.python:q} -m snakemake autoencoder --snakefile {params.snakefile:q}"
        " --configfile {output.config} --nolock --report {output.report} > {log} 2>&1"
