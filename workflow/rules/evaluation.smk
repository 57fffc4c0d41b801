# Losses of every net on training, validation and test data; Table I.


rule evaluate_model:
    input:
        network=lambda wildcards: network_of(wildcards.net, wildcards.member),
        lattices_in=lambda wildcards: lattices_of(
            wildcards.net, wildcards.member, levels_of(wildcards.net)[0]
        ),
        lattices_out=lambda wildcards: lattices_of(
            wildcards.net, wildcards.member, levels_of(wildcards.net)[1]
        ),
        certificate=lambda wildcards: certified(
            lattices_of(wildcards.net, wildcards.member)
        ),
    output:
        losses=f"{RESULTS}/nets/{{net}}/member-{{member}}.losses.csv",
    log:
        f"{RESULTS}/logs/evaluate_model/{{net}}/member-{{member}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluate_model/{{net}}/member-{{member}}.tsv"
    wildcard_constraints:
        net=any_of([*SHALLOW_NETS, *MODELS]),
    localrule: True
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        spec=lambda wildcards: canonical_json(
            {
                "net": wildcards.net,
                "member": int(wildcards.member),
                "loss": config["nets"]["loss"],
                "l1": config["nets"]["l1"] if trained_layers(wildcards.net) else 0.0,
                "trained_layers": trained_layers(wildcards.net),
                "splits": SPLITS,
            }
        ),
        code=code_digest("stages.evaluate_model"),
    message:
        "Evaluating {wildcards.net}, member {wildcards.member}"
    shell:
        "python -m stages.evaluate_model --network {input.network}"
        " --lattices-in {input.lattices_in} --lattices-out {input.lattices_out}"
        " --losses {output.losses} --spec {params.spec:q} --code {params.code} > {log} 2>&1"


rule collect_losses:
    input:
        losses=[
            f"{RESULTS}/nets/{net}/member-{member}.losses.csv"
            for net in [*SHALLOW_NETS, *MODELS]
            for member in MEMBERS
        ],
    output:
        table=f"{RESULTS}/tables/model_losses.csv",
    log:
        f"{RESULTS}/logs/collect_losses.log",
    benchmark:
        f"{RESULTS}/benchmarks/collect_losses.tsv"
    localrule: True
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_digest("stages.collect_losses"),
    message:
        "Collecting the losses of all nets"
    shell:
        "python -m stages.collect_losses --losses {input.losses} --table {output.table}"
        " --code {params.code} > {log} 2>&1"


rule describe_models:
    output:
        table=f"{RESULTS}/tables/model_architectures.csv",
    log:
        f"{RESULTS}/logs/describe_models.log",
    benchmark:
        f"{RESULTS}/benchmarks/describe_models.tsv"
    localrule: True
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        spec=canonical_json(
            {
                "L": L,
                "autoencoder_layers": config["nets"]["autoencoder_layers"],
                "activation": config["nets"]["activation"],
                "map": config["nets"]["map"],
                "thermometer_hidden": config["thermometer"]["hidden"],
            }
        ),
        code=code_digest("stages.describe_models"),
    message:
        "Listing the models layer by layer"
    shell:
        "python -m stages.describe_models --table {output.table}"
        " --spec {params.spec:q} --code {params.code} > {log} 2>&1"
