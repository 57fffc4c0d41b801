# Independent Ising lattices for everything else, their certificates, and coarse-graining.


use rule gpu_stage as sample_shard with:
    output:
        lattices=temp("<results>/{variant}lattices/{set}.shard-{shard}-of-{shards}.nc"),
        sidecar=temp(
            "<results>/{variant}lattices/{set}.shard-{shard}-of-{shards}.nc.prov.json"
        ),
    pathvars:
        job="sample_shard/{variant}{set}.shard-{shard}-of-{shards}",
    wildcard_constraints:
        shard=r"\d+",
        shards=r"\d+",
    params:
        **stage("lattices.sample_shard", device=config["device"]),


use rule gpu_stage as sample_lattices with:
    input:
        unpack(made_from("lattices.sample_lattices")),
    output:
        lattices=update("<results>/{variant}lattices/{set}.nc"),
    pathvars:
        job="sample_lattices/{variant}{set}",
    params:
        **stage("lattices.sample_lattices", device=config["device"]),


use rule stage as certify_lattices with:
    input:
        unpack(made_from("lattices.certify_lattices")),
    output:
        certificate=update("<results>/{variant}certificates/{set}.json"),
    pathvars:
        job="certify_lattices/{variant}{set}",
    resources:
        mem_mb=memory(1000),
        runtime=30,
    params:
        **stage("lattices.certify_lattices"),


use rule stage as decimate_lattices with:
    input:
        unpack(made_from("lattices.decimate_lattices")),
    output:
        first=update("<results>/{variant}lattices/{set}.step-1.nc"),
        second=update("<results>/{variant}lattices/{set}.step-2.nc"),
    pathvars:
        job="decimate_lattices/{variant}{set}",
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        **stage("lattices.decimate_lattices"),


use rule stage as collect_certificates with:
    input:
        unpack(made_from("lattices.collect_certificates")),
    output:
        table=update("<results>/{variant}tables/certificates.csv"),
    pathvars:
        job="{variant}collect_certificates",
    localrule: True
    params:
        **stage("lattices.collect_certificates"),


use rule figure as plot_certificates with:
    input:
        unpack(made_from("lattices.plot_certificates")),
    output:
        **figure("certificates"),
    pathvars:
        job="{variant}plot_certificates",
    localrule: True
    params:
        **stage("lattices.plot_certificates"),
