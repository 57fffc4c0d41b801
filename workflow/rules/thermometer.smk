# The net that reads beta off a lattice.


rule train_thermometer:
    input:
        lattices=lattices_of(architecture.THERMOMETER, "{member}"),
        certificate=certified(lattices_of(architecture.THERMOMETER, "{member}")),
        together=lambda wildcards: trained_with(
            architecture.THERMOMETER, wildcards.member
        ),
    output:
        network=f"{RESULTS}/nets/thermometer/member-{{member}}.safetensors",
        history=f"{RESULTS}/nets/thermometer/member-{{member}}.history.csv",
    log:
        f"{RESULTS}/logs/train_thermometer/member-{{member}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_thermometer/member-{{member}}.tsv"
    conda:
        DEVICE_ENVIRONMENT
    threads: config["threads"]
    resources:
        mem_mb=memory_to_train,
        runtime=time_to_train,
        gpu=gpus_to_train,
    params:
        spec=lambda wildcards: canonical_json(
            training_spec(architecture.THERMOMETER, wildcards.member)
        ),
        code=code_digest("stages.train_thermometer"),
        checkpoint_minutes=config["checkpoint_minutes"],
    message:
        "Training the thermometer, member {wildcards.member}"
    shell:
        "python -m stages.train_thermometer --lattices {input.lattices}"
        " --together {input.together}"
        " --network {output.network} --history {output.history}"
        " --checkpoint-minutes {params.checkpoint_minutes} --spec {params.spec:q} --code {params.code} > {log} 2>&1"


rule test_thermometer:
    input:
        lattices=f"{RESULTS}/lattices/thermometer_test.nc",
        certificate=certified(f"{RESULTS}/lattices/thermometer_test.nc"),
        thermometers=[
            network_of(architecture.THERMOMETER, member) for member in MEMBERS
        ],
    output:
        table=f"{RESULTS}/tables/thermometer.csv",
    log:
        f"{RESULTS}/logs/test_thermometer.log",
    benchmark:
        f"{RESULTS}/benchmarks/test_thermometer.tsv"
    localrule: True
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code_digest("stages.test_thermometer"),
    message:
        "Testing the thermometer"
    shell:
        "python -m stages.test_thermometer --lattices {input.lattices}"
        " --thermometers {input.thermometers} --table {output.table}"
        " --code {params.code} > {log} 2>&1"
