# Local entropy of lattices, of the autoencoder's output and of decimated lattices.


rule local_entropy:
    input:
        lattices=f"{RESULTS}/lattices/local_entropy.nc",
        certificate=certified(f"{RESULTS}/lattices/local_entropy.nc"),
        autoencoders=[
            network_of(architecture.WIDE_RANGE_AUTOENCODER, member)
            for member in MEMBERS
        ],
    output:
        table=f"{RESULTS}/tables/local_entropy.csv",
        gaps=f"{RESULTS}/tables/entropy_gaps.csv",
    log:
        f"{RESULTS}/logs/local_entropy.log",
    benchmark:
        f"{RESULTS}/benchmarks/local_entropy.tsv"
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=memory(3000),
        runtime=60,
    params:
        spec=canonical_json(
            {"autoencoder_image": config["local_entropy"]["autoencoder_image"]}
        ),
        code=code_digest("stages.local_entropy"),
    message:
        "Measuring local entropies"
    shell:
        "python -m stages.local_entropy --lattices {input.lattices}"
        " --autoencoders {input.autoencoders} --table {output.table} --gaps {output.gaps}"
        " --spec {params.spec:q} --code {params.code} > {log} 2>&1"
