# Independent Ising lattices for everything else.


rule sample_lattices:
    output:
        lattices=f"{RESULTS}/lattices/{{set}}.nc",
    log:
        f"{RESULTS}/logs/sample_lattices/{{set}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/sample_lattices/{{set}}.tsv"
    wildcard_constraints:
        set=r"(critical|wide_range)/[^/]+/member-\d+|thermometer_test|local_entropy",
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        spec=lambda wildcards: canonical_json(
            {
                "L": L,
                "steps": config["lattices"]["steps"],
                "betas": betas_of(wildcards.set),
                "seed": seed_of("lattices", set=wildcards.set),
            }
        ),
        code=code_digest("stages.sample_lattices"),
    message:
        "Sampling lattices: {wildcards.set}"
    shell:
        "python -m stages.sample_lattices --lattices {output.lattices}"
        " --spec {params.spec:q} --code {params.code} > {log} 2>&1"
