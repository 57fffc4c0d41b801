# Transfer learning: shallow nets become the leading layers of Model-2 and all layers of Model-3.


rule transfer_weights:
    input:
        parts=lambda wildcards: [
            network_of(part, wildcards.member)
            for part in MODELS[wildcards.net].transferred
        ],
    output:
        network=f"{RESULTS}/nets/{{net}}/member-{{member}}.transferred.safetensors",
    log:
        f"{RESULTS}/logs/transfer_weights/{{net}}/member-{{member}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/transfer_weights/{{net}}/member-{{member}}.tsv"
    wildcard_constraints:
        net=any_of(name for name, net in MODELS.items() if net.transferred),
    localrule: True
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_digest("stages.transfer_weights"),
    message:
        "Transferring weights into {wildcards.net}, member {wildcards.member}"
    shell:
        "python -m stages.transfer_weights --parts {input.parts} --network {output.network}"
        " --code {params.code} > {log} 2>&1"
