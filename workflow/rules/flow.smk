# The flow of beta under the autoencoder and under decimation.


rule beta_flow:
    input:
        lattices=f"{RESULTS}/lattices/thermometer_test.nc",
        certificate=certified(f"{RESULTS}/lattices/thermometer_test.nc"),
        autoencoders=[
            network_of(architecture.WIDE_RANGE_AUTOENCODER, member)
            for member in MEMBERS
        ],
        thermometers=[
            network_of(architecture.THERMOMETER, member) for member in MEMBERS
        ],
    output:
        table=f"{RESULTS}/tables/beta_flow.csv",
        fixed_points=f"{RESULTS}/tables/beta_fixed_point.csv",
    log:
        f"{RESULTS}/logs/beta_flow.log",
    benchmark:
        f"{RESULTS}/benchmarks/beta_flow.tsv"
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=memory(3000),
        runtime=60,
    params:
        spec=canonical_json(
            {
                "bootstrap_samples": config["bootstrap_samples"],
                "seed": seed_of("bootstrap", table="beta_fixed_point"),
            }
        ),
        code=code_digest("stages.beta_flow"),
    message:
        "Measuring the flow of beta"
    shell:
        "python -m stages.beta_flow --lattices {input.lattices}"
        " --autoencoders {input.autoencoders} --thermometers {input.thermometers}"
        " --table {output.table} --fixed-points {output.fixed_points}"
        " --spec {params.spec:q} --code {params.code} > {log} 2>&1"
