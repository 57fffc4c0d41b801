# Training of the shallow nets and of the models, each member alone or several in one job.


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
        together=lambda wildcards: trained_with(wildcards.net, wildcards.member),
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
        DEVICE_ENVIRONMENT
    threads: config["threads"]
    resources:
        mem_mb=memory_to_train,
        runtime=time_to_train,
        gpu=gpus_to_train,
    params:
        spec=lambda wildcards: canonical_json(
            training_spec(wildcards.net, wildcards.member)
        ),
        code=code_digest("stages.train_shallow_net"),
        checkpoint_minutes=config["checkpoint_minutes"],
    message:
        "Training {wildcards.net}, member {wildcards.member}"
    shell:
        "python -m stages.train_shallow_net --lattices-in {input.lattices_in}"
        " --lattices-out {input.lattices_out} --together {input.together}"
        " --network {output.network} --history {output.history} --checkpoint-minutes {params.checkpoint_minutes}"
        " --spec {params.spec:q} --code {params.code} > {log} 2>&1"


rule train_members:
    # Several members of a net in one job, from which the rules around this one take theirs.
    input:
        lattices_in=lambda wildcards: [
            lattices_of(wildcards.net, k, levels_of(wildcards.net)[0])
            for k in wildcards.members.split("-")
        ],
        lattices_out=lambda wildcards: [
            lattices_of(wildcards.net, k, levels_of(wildcards.net)[1])
            for k in wildcards.members.split("-")
        ],
        certificates=lambda wildcards: [
            certified(lattices_of(wildcards.net, k))
            for k in wildcards.members.split("-")
        ],
        transferred=lambda wildcards: [
            each
            for k in wildcards.members.split("-")
            for each in transferred_into(wildcards.net, k)
        ],
    output:
        together=f"{RESULTS}/nets/{{net}}/together/members-{{members}}.safetensors",
    log:
        f"{RESULTS}/logs/train_members/{{net}}/members-{{members}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_members/{{net}}/members-{{members}}.tsv"
    wildcard_constraints:
        members=r"\d+(-\d+)+",
    conda:
        DEVICE_ENVIRONMENT
    threads: config["threads"]
    resources:
        mem_mb=memory(8000),
        runtime=TRAINING_MINUTES,
        gpu=GPUS,
    params:
        spec=lambda wildcards: canonical_json(
            {
                "members": [
                    training_spec(wildcards.net, k)
                    for k in wildcards.members.split("-")
                ]
            }
        ),
        code=code_digest("stages.train_members"),
        checkpoint_minutes=config["checkpoint_minutes"],
    message:
        "Training {wildcards.net}, members {wildcards.members}, together"
    shell:
        "python -m stages.train_members --lattices-in {input.lattices_in}"
        " --lattices-out {input.lattices_out} --transferred {input.transferred}"
        " --together {output.together}"
        " --checkpoint-minutes {params.checkpoint_minutes}"
        " --spec {params.spec:q} --code {params.code} > {log} 2>&1"


rule train_model:
    input:
        lattices=lambda wildcards: lattices_of(wildcards.net, wildcards.member),
        certificate=lambda wildcards: certified(
            lattices_of(wildcards.net, wildcards.member)
        ),
        transferred=lambda wildcards: transferred_into(wildcards.net, wildcards.member),
        together=lambda wildcards: trained_with(wildcards.net, wildcards.member),
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
        DEVICE_ENVIRONMENT
    threads: config["threads"]
    resources:
        mem_mb=memory_to_train,
        runtime=time_to_train,
        gpu=gpus_to_train,
    params:
        spec=lambda wildcards: canonical_json(
            training_spec(wildcards.net, wildcards.member)
        ),
        code=code_digest("stages.train_model"),
        checkpoint_minutes=config["checkpoint_minutes"],
    message:
        "Training {wildcards.net}, member {wildcards.member}"
    shell:
        "python -m stages.train_model --lattices {input.lattices}"
        " --transferred {input.transferred} --together {input.together}"
        " --network {output.network} --history {output.history} --checkpoint-minutes {params.checkpoint_minutes}"
        " --spec {params.spec:q} --code {params.code} > {log} 2>&1"
