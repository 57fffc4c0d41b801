# The coarse-graining map: on lattices, and as weights.


rule decimate_lattices:
    input:
        lattices=f"{RESULTS}/lattices/critical/{{net}}/member-{{member}}.nc",
        certificate=certified(
            f"{RESULTS}/lattices/critical/{{net}}/member-{{member}}.nc"
        ),
    output:
        first=f"{RESULTS}/lattices/critical/{{net}}/member-{{member}}.step-1.nc",
        second=f"{RESULTS}/lattices/critical/{{net}}/member-{{member}}.step-2.nc",
    log:
        f"{RESULTS}/logs/decimate_lattices/{{net}}/member-{{member}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/decimate_lattices/{{net}}/member-{{member}}.tsv"
    wildcard_constraints:
        net=any_of(SHALLOW_NETS),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=10,
        # sampled in the same cluster job, whose rules must agree on a word
        device=config["device"],
    params:
        spec=lambda wildcards: canonical_json(
            {
                "map": config["nets"]["map"],
                "seed": seed_of(
                    "ties", net=wildcards.net, member=int(wildcards.member)
                ),
            }
        ),
        code=code_digest("stages.decimate_lattices"),
    message:
        "Coarse-graining the lattices of {wildcards.net}, member {wildcards.member}"
    shell:
        "python -m stages.decimate_lattices --lattices {input.lattices}"
        " --first {output.first} --second {output.second}"
        " --spec {params.spec:q} --code {params.code} > {log} 2>&1"


rule hard_code_weights:
    output:
        network=f"{RESULTS}/nets/{{net}}/hard_coded.safetensors",
    log:
        f"{RESULTS}/logs/hard_code_weights/{{net}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/hard_code_weights/{{net}}.tsv"
    wildcard_constraints:
        net=any_of(name for name, net in SHALLOW_NETS.items() if net.hard_coded),
    localrule: True
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        spec=lambda wildcards: canonical_json(
            {
                "L": L,
                "map": config["nets"]["map"],
                "step": SHALLOW_NETS[wildcards.net].level_out,
                "precision": config["precision"],
            }
        ),
        code=code_digest("stages.hard_code_weights"),
    message:
        "Hard-coding {wildcards.net}"
    shell:
        "python -m stages.hard_code_weights --network {output.network}"
        " --spec {params.spec:q} --code {params.code} > {log} 2>&1"
