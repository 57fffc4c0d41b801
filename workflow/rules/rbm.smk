# Study B: Boltzmann machines against block spins.


use rule stage as sample_blocks with:
    output:
        lattices=update("<results>/{variant}machines/blocks/member-{member}.nc"),
    pathvars:
        job="sample_blocks/{variant}member-{member}",
    resources:
        mem_mb=memory(2000),
        runtime=60,
    params:
        **stage("rbm.sample_blocks"),


use rule gpu_stage as train_machine with:
    input:
        unpack(made_from("rbm.train_machine")),
    output:
        machine=update(
            "<results>/{variant}machines/{machine}/member-{member}.safetensors"
        ),
        history=update(
            "<results>/{variant}machines/{machine}/member-{member}.history.csv"
        ),
    pathvars:
        job="train_machine/{variant}{machine}/member-{member}",
    threads: config["threads"]
    resources:
        mem_mb=memory(2000),
        runtime=TRAINING_MINUTES,
        gpu=GPUS,
    params:
        **stage("rbm.train_machine", checkpoint_minutes=config["checkpoint_minutes"]),


use rule stage as sample_layer with:
    input:
        unpack(made_from("rbm.sample_layer")),
    output:
        layer=update("<results>/{variant}machines/{machine}/member-{member}.layer.nc"),
    pathvars:
        job="sample_layer/{variant}{machine}/member-{member}",
    resources:
        mem_mb=memory(2000),
        runtime=60,
    params:
        **stage("rbm.sample_layer"),


use rule stage as collect_machine_convergence with:
    input:
        unpack(made_from("rbm.collect_machine_convergence")),
    output:
        table=update("<results>/{variant}tables/rbm_convergence.csv"),
    pathvars:
        job="{variant}collect_machine_convergence",
    localrule: True
    params:
        **stage("rbm.collect_machine_convergence"),


use rule stage as measure_likelihood with:
    input:
        unpack(made_from("rbm.measure_likelihood")),
    output:
        table=update(
            "<results>/{variant}machines/{machine}/member-{member}.likelihood.csv"
        ),
    pathvars:
        job="measure_likelihood/{variant}{machine}/member-{member}",
    resources:
        mem_mb=memory(2000),
        runtime=60,
    params:
        **stage("rbm.measure_likelihood"),


use rule stage as collect_likelihoods with:
    input:
        unpack(made_from("rbm.collect_likelihoods")),
    output:
        table=update("<results>/{variant}tables/rbm_likelihood.csv"),
    pathvars:
        job="{variant}collect_likelihoods",
    localrule: True
    params:
        **stage("rbm.collect_likelihoods"),


use rule stage as measure_couplings with:
    input:
        unpack(made_from("rbm.measure_couplings")),
    output:
        table=update(
            "<results>/{variant}machines/{machine}/member-{member}.couplings.csv"
        ),
    pathvars:
        job="measure_couplings/{variant}{machine}/member-{member}",
    resources:
        mem_mb=memory(2000),
        runtime=60,
    params:
        **stage("rbm.measure_couplings"),


use rule stage as collect_couplings with:
    input:
        unpack(made_from("rbm.collect_couplings")),
    output:
        table=update("<results>/{variant}tables/rbm_couplings.csv"),
    pathvars:
        job="{variant}collect_couplings",
    localrule: True
    params:
        **stage("rbm.collect_couplings"),


use rule stage as measure_exponents with:
    input:
        unpack(made_from("rbm.measure_exponents")),
    output:
        table=update("<results>/{variant}exponents/{map}.csv"),
    pathvars:
        job="measure_exponents/{variant}{map}",
    resources:
        mem_mb=memory(2000),
        runtime=60,
    params:
        **stage("rbm.measure_exponents"),


use rule stage as collect_exponents with:
    input:
        unpack(made_from("rbm.collect_exponents")),
    output:
        table=update("<results>/{variant}tables/mcrg.csv"),
        verdicts=update("<results>/{variant}tables/rg_maps.csv"),
    pathvars:
        job="{variant}collect_exponents",
    localrule: True
    params:
        **stage("rbm.collect_exponents"),


use rule stage as learn_ring_flow with:
    output:
        table=update("<results>/{variant}tables/rbm_ring_flow.csv"),
        lengths=update("<results>/{variant}tables/rbm_ring_lengths.csv"),
    pathvars:
        job="{variant}learn_ring_flow",
    resources:
        mem_mb=memory(2000),
        runtime=60,
    params:
        **stage("rbm.learn_ring_flow"),


use rule stage as fit_ring_machine with:
    output:
        table=update("<results>/{variant}tables/rbm_ring_machine.csv"),
    pathvars:
        job="{variant}fit_ring_machine",
    resources:
        mem_mb=memory(2000),
        runtime=60,
    params:
        **stage("rbm.fit_ring_machine"),


use rule stage as measure_fields with:
    input:
        unpack(made_from("rbm.measure_fields")),
    output:
        table=update("<results>/{variant}tables/rbm_fields.csv"),
        units=update("<results>/{variant}tables/rbm_field_units.csv"),
    pathvars:
        job="{variant}measure_fields",
    localrule: True
    params:
        **stage("rbm.measure_fields"),


use rule stage as fit_soft_majority with:
    input:
        unpack(made_from("rbm.fit_soft_majority")),
    output:
        table=update("<results>/{variant}tables/rbm_soft_majority.csv"),
    pathvars:
        job="{variant}fit_soft_majority",
    resources:
        mem_mb=memory(2000),
        runtime=60,
    params:
        **stage("rbm.fit_soft_majority"),


use rule stage as block_mechanism with:
    input:
        unpack(made_from("rbm.block_mechanism")),
    output:
        table=update("<results>/{variant}tables/rbm_block_mechanism.csv"),
    pathvars:
        job="{variant}block_mechanism",
    resources:
        mem_mb=memory(6000),
        runtime=60,
    params:
        **stage("rbm.block_mechanism"),


use rule stage as reconstruction_flow with:
    input:
        unpack(made_from("rbm.reconstruction_flow")),
    output:
        table=update("<results>/{variant}tables/rbm_flow.csv"),
    pathvars:
        job="{variant}reconstruction_flow",
    resources:
        mem_mb=memory(2000),
        runtime=60,
    params:
        **stage("rbm.reconstruction_flow"),


use rule figure as plot_exponents with:
    input:
        unpack(made_from("rbm.plot_exponents")),
    output:
        **figure("exponents"),
    pathvars:
        job="{variant}plot_exponents",
    localrule: True
    params:
        **stage("rbm.plot_exponents"),


use rule figure as plot_ring_flow with:
    input:
        unpack(made_from("rbm.plot_ring_flow")),
    output:
        **figure("ring_flow"),
    pathvars:
        job="{variant}plot_ring_flow",
    localrule: True
    params:
        **stage("rbm.plot_ring_flow"),


use rule figure as plot_likelihood with:
    input:
        unpack(made_from("rbm.plot_likelihood")),
    output:
        **figure("likelihood"),
    pathvars:
        job="{variant}plot_likelihood",
    localrule: True
    params:
        **stage("rbm.plot_likelihood"),


use rule figure as plot_couplings with:
    input:
        unpack(made_from("rbm.plot_couplings")),
    output:
        **figure("couplings"),
    pathvars:
        job="{variant}plot_couplings",
    localrule: True
    params:
        **stage("rbm.plot_couplings"),


use rule figure as plot_receptive_fields with:
    input:
        unpack(made_from("rbm.plot_receptive_fields")),
    output:
        **figure("receptive_fields"),
    pathvars:
        job="{variant}plot_receptive_fields",
    localrule: True
    params:
        **stage("rbm.plot_receptive_fields"),


use rule figure as plot_blocking with:
    input:
        unpack(made_from("rbm.plot_blocking")),
    output:
        **figure("blocking"),
    pathvars:
        job="{variant}plot_blocking",
    localrule: True
    params:
        **stage("rbm.plot_blocking"),


use rule figure as plot_temperature_flow with:
    input:
        unpack(made_from("rbm.plot_temperature_flow")),
    output:
        **figure("temperature_flow"),
    pathvars:
        job="{variant}plot_temperature_flow",
    localrule: True
    params:
        **stage("rbm.plot_temperature_flow"),


use rule figure as plot_training with:
    input:
        unpack(made_from("rbm.plot_training")),
    output:
        **figure("training"),
    pathvars:
        job="{variant}plot_training",
    localrule: True
    params:
        **stage("rbm.plot_training"),
