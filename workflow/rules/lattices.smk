# Independent Ising lattices for everything else, and their certificates.


rule sample_shard:
    output:
        lattices=temp(f"{RESULTS}/lattices/{{set}}.shard-{{shard}}-of-{{shards}}.nc"),
        sidecar=temp(
            f"{RESULTS}/lattices/{{set}}.shard-{{shard}}-of-{{shards}}.nc.prov.json"
        ),
    log:
        f"{RESULTS}/logs/sample_shard/{{set}}.shard-{{shard}}-of-{{shards}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/sample_shard/{{set}}.shard-{{shard}}-of-{{shards}}.tsv"
    wildcard_constraints:
        set=LATTICE_SET,
        shard=r"\d+",
        shards=r"\d+",
    conda:
        DEVICE_ENVIRONMENT
    resources:
        mem_mb=memory(1000),
        runtime=30,
        gpu=GPUS,
        # not a parameter: the lattices are the same bits on every device
        device=config["device"],
    params:
        spec=lambda wildcards: canonical_json(
            {
                "set": sampling_spec(wildcards.set),
                "shard": int(wildcards.shard),
                "shards": int(wildcards.shards),
            }
        ),
        code=code_digest("stages.sample_shard"),
        device=device_of_resources,
    message:
        "Sampling lattices: {wildcards.set}, shard {wildcards.shard} of {wildcards.shards}"
    shell:
        "python -m stages.sample_shard --lattices {output.lattices} --device {params.device}"
        " --spec {params.spec:q} --code {params.code} > {log} 2>&1"


rule sample_lattices:
    # Neither spec nor code know of shards: finished lattices stay when their number changes.
    input:
        shards=lambda wildcards: shards_of(wildcards.set),
    output:
        lattices=f"{RESULTS}/lattices/{{set}}.nc",
    log:
        f"{RESULTS}/logs/sample_lattices/{{set}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/sample_lattices/{{set}}.tsv"
    wildcard_constraints:
        set=LATTICE_SET,
    conda:
        DEVICE_ENVIRONMENT
    resources:
        mem_mb=memory(1000),
        runtime=30,
        gpu=GPUS,
        # not a parameter: the lattices are the same bits on every device
        device=config["device"],
    params:
        spec=lambda wildcards: canonical_json(sampling_spec(wildcards.set)),
        code=code_digest("stages.sample_lattices"),
        device=device_of_resources,
    message:
        "Sampling lattices: {wildcards.set}"
    shell:
        "python -m stages.sample_lattices --shards {input.shards} --lattices {output.lattices}"
        " --device {params.device} --spec {params.spec:q} --code {params.code} > {log} 2>&1"


rule certify_lattices:
    input:
        lattices=f"{RESULTS}/lattices/{{set}}.nc",
    output:
        certificate=f"{RESULTS}/certificates/{{set}}.json",
    log:
        f"{RESULTS}/logs/certify_lattices/{{set}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/certify_lattices/{{set}}.tsv"
    wildcard_constraints:
        set=LATTICE_SET,
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=30,
        # sampled in the same cluster job, whose rules must agree on a word
        device=config["device"],
    params:
        spec=lambda wildcards: canonical_json({"set": wildcards.set}),
        code=code_digest("stages.certify_lattices"),
    message:
        "Certifying lattices: {wildcards.set}"
    shell:
        "python -m stages.certify_lattices --lattices {input.lattices}"
        " --certificate {output.certificate}"
        " --spec {params.spec:q} --code {params.code} > {log} 2>&1"


rule collect_certificates:
    input:
        certificates=[certificate_of(lattices) for lattices in LATTICE_SETS],
    output:
        table=f"{RESULTS}/tables/certificates.csv",
    log:
        f"{RESULTS}/logs/collect_certificates.log",
    benchmark:
        f"{RESULTS}/benchmarks/collect_certificates.tsv"
    localrule: True
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_digest("stages.collect_certificates"),
    message:
        "Collecting the certificates of all lattices"
    shell:
        "python -m stages.collect_certificates --certificates {input.certificates}"
        " --table {output.table} --code {params.code} > {log} 2>&1"
