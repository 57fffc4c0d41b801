# Training of the shallow nets and of the models.


rule train_shallow_net:
    input:
        lattices_in=lambda wildcards: lattices_of(
            wildcards.net, wildcards.member, SHALLOW_NETS[wildcards.net].level_in
        ),
        lattices_out=lambda wildcards: lattices_of(
            wildcards.net, wildcards.member, SHALLOW_NETS[wildcards.net].level_out
        ),
        certificate=lambda wildcards: certified(
            lattices_of(wildcards.net, wildcards.member)
        ),
    output:
        network=f"{RESULTS}/nets/{{net}}/member-{{member}}.safetensors",
        history=f"{RESULTS}/nets/{{net}}/member-{{member}}.history.csv",
    log:
        f"{RESULTS}/logs/train_shallow_net/{{net}}/member-{{member}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_shallow_net/{{net}}/member-{{member}}.tsv"
    wildcard_constraints:
        net=any_of(name for name, net in SHALLOW_NETS.items() if not net.hard_coded),
    conda:
        "../../envs/cpu.yaml"
    threads: config["threads"]
    resources:
        mem_mb=3000,
        runtime=1440,
        checkpoint_minutes=config["checkpoint_minutes"],
    params:
        spec=lambda wildcards: training_spec(
            wildcards.net,
            wildcards.member,
            sizes=[int(size) for size in wildcards.net.split("-")[1:]],
            settings=spin_net_settings("shallow"),
            activation=config["nets"]["activation"],
        ),
        code=code_digest("stages.train_shallow_net"),
    message:
        "Training {wildcards.net}, member {wildcards.member}"
    shell:
        "python -m stages.train_shallow_net --lattices-in {input.lattices_in}"
        " --lattices-out {input.lattices_out} --network {output.network}"
        " --history {output.history} --checkpoint-minutes {resources.checkpoint_minutes}"
        " --spec {params.spec:q} --code {params.code} > {log} 2>&1"


rule train_model:
    input:
        lattices=lambda wildcards: lattices_of(wildcards.net, wildcards.member),
        certificate=lambda wildcards: certified(
            lattices_of(wildcards.net, wildcards.member)
        ),
        transferred=lambda wildcards: (
            [
                f"{RESULTS}/nets/{wildcards.net}/member-{wildcards.member}.transferred.safetensors"
            ]
            if MODELS[wildcards.net].transferred
            else []
        ),
    output:
        network=f"{RESULTS}/nets/{{net}}/member-{{member}}.safetensors",
        history=f"{RESULTS}/nets/{{net}}/member-{{member}}.history.csv",
    log:
        f"{RESULTS}/logs/train_model/{{net}}/member-{{member}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_model/{{net}}/member-{{member}}.tsv"
    wildcard_constraints:
        net=any_of(name for name, net in MODELS.items() if net.is_trained),
    conda:
        "../../envs/cpu.yaml"
    threads: config["threads"]
    resources:
        mem_mb=3000,
        runtime=1440,
        checkpoint_minutes=config["checkpoint_minutes"],
    params:
        spec=lambda wildcards: training_spec(
            wildcards.net,
            wildcards.member,
            sizes=architecture.model_sizes(
                MODELS[wildcards.net], L, config["nets"]["autoencoder_layers"]
            )[len(MODELS[wildcards.net].transferred) :],
            settings=spin_net_settings("deep"),
            activation=config["nets"]["activation"],
        ),
        code=code_digest("stages.train_model"),
    message:
        "Training {wildcards.net}, member {wildcards.member}"
    shell:
        "python -m stages.train_model --lattices {input.lattices}"
        " --transferred {input.transferred} --network {output.network}"
        " --history {output.history} --checkpoint-minutes {resources.checkpoint_minutes}"
        " --spec {params.spec:q} --code {params.code} > {log} 2>&1"
