# What every rule that runs a stage has in common. It makes nothing itself. Rules of seconds say
# `localrule: True`, and so run beside Snakemake on a cluster: `use rule` does not hand that on.
# Outputs are `update(…)`: what is there stays until a job has made it anew, so a job that fails loses
# nothing, and one whose inputs turn out to be the same bytes as before leaves it as it is.
rule stage:
    log:
        "<logs>/<job>.log",
    benchmark:
        "<benchmarks>/<job>.tsv"
    pathvars:
        job="stage",
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        stage="",
        spec="{}",
        code="",
        options="--help",
        job="",
    message:
        "{params.stage} {params.job}"
    shell:
        "python -m stages.{params.stage} {params.options}"
        " --spec {params.spec:q} --code {params.code} > {log} 2>&1"


# The same for stages that can use a GPU, with the environment that `--sdm conda` makes for them.
use rule stage as gpu_stage with:
    conda:
        f"../../envs/{'gpu' if GPUS else 'cpu'}.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=30,
        gpu=GPUS,


# The same for figures.
use rule stage as figure with:
    resources:
        mem_mb=2000,
        runtime=30,
