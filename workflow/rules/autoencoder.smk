# Study A: autoencoders against decimation.


use rule stage as hard_code_weights with:
    output:
        network=update("<results>/{variant}nets/{net}/hard_coded.safetensors"),
    pathvars:
        job="hard_code_weights/{variant}{net}",
    localrule: True
    params:
        **stage("autoencoder.hard_code_weights"),


use rule stage as transfer_weights with:
    input:
        unpack(made_from("autoencoder.transfer_weights")),
    output:
        network=update(
            "<results>/{variant}nets/{net}/member-{member}.transferred.safetensors"
        ),
    pathvars:
        job="transfer_weights/{variant}{net}/member-{member}",
    localrule: True
    params:
        **stage("autoencoder.transfer_weights"),


use rule gpu_stage as train_members with:
    input:
        unpack(made_from("autoencoder.train_members")),
    output:
        together=update(
            "<results>/{variant}nets/{net}/together/members-{members}.safetensors"
        ),
    # Several members of a net in one job, from which train_net takes them.
    pathvars:
        job="train_members/{variant}{net}/members-{members}",
    wildcard_constraints:
        members=r"\d+(-\d+)+",
    threads: config["threads"]
    resources:
        mem_mb=lambda wildcards, attempt: attempt
        * training_mb("autoencoder", wildcards),
        runtime=TRAINING_MINUTES,
        gpu=GPUS,
    params:
        **stage(
            "autoencoder.train_members",
            checkpoint_minutes=config["checkpoint_minutes"],
        ),


use rule gpu_stage as train_net with:
    input:
        unpack(made_from("autoencoder.train_net")),
    output:
        network=update("<results>/{variant}nets/{net}/member-{member}.safetensors"),
        history=update("<results>/{variant}nets/{net}/member-{member}.history.csv"),
    pathvars:
        job="train_net/{variant}{net}/member-{member}",
    threads: config["threads"]
    resources:
        # a member that was trained with others is only taken from their file
        mem_mb=lambda wildcards, input, attempt: attempt
        * (1000 if input.together else training_mb("autoencoder", wildcards)),
        runtime=lambda wildcards, input: 10 if input.together else TRAINING_MINUTES,
        gpu=lambda wildcards, input: 0 if input.together else GPUS,
    params:
        **stage(
            "autoencoder.train_net", checkpoint_minutes=config["checkpoint_minutes"]
        ),


use rule stage as evaluate_model with:
    input:
        unpack(made_from("autoencoder.evaluate_model")),
    output:
        losses=update("<results>/{variant}nets/{net}/member-{member}.losses.csv"),
        amplitudes=update(
            "<results>/{variant}nets/{net}/member-{member}.amplitudes.csv"
        ),
    pathvars:
        job="evaluate_model/{variant}{net}/member-{member}",
    localrule: True
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        **stage("autoencoder.evaluate_model"),


use rule stage as collect_losses with:
    input:
        unpack(made_from("autoencoder.collect_losses")),
    output:
        table=update("<results>/{variant}tables/model_losses.csv"),
        by_amplitude=update("<results>/{variant}tables/amplitudes.csv"),
    pathvars:
        job="{variant}collect_losses",
    localrule: True
    params:
        **stage("autoencoder.collect_losses"),


use rule stage as measure_floors with:
    input:
        unpack(made_from("autoencoder.measure_floors")),
    output:
        table=update("<results>/{variant}tables/loss_floors.csv"),
    pathvars:
        job="{variant}measure_floors",
    resources:
        mem_mb=memory(3000),
        runtime=30,
    params:
        **stage("autoencoder.measure_floors"),


use rule stage as collect_convergence with:
    input:
        unpack(made_from("autoencoder.collect_convergence")),
    output:
        table=update("<results>/{variant}tables/convergence.csv"),
    pathvars:
        job="{variant}collect_convergence",
    localrule: True
    params:
        **stage("autoencoder.collect_convergence"),


use rule stage as exact_points with:
    output:
        table=update("<results>/{variant}tables/exact_points.csv"),
    pathvars:
        job="{variant}exact_points",
    localrule: True
    params:
        **stage("autoencoder.exact_points"),


use rule stage as describe_models with:
    output:
        table=update("<results>/{variant}tables/model_architectures.csv"),
    pathvars:
        job="{variant}describe_models",
    localrule: True
    params:
        **stage("autoencoder.describe_models"),


use rule stage as local_entropy with:
    input:
        unpack(made_from("autoencoder.local_entropy")),
    output:
        table=update("<results>/{variant}tables/local_entropy.csv"),
        gaps=update("<results>/{variant}tables/entropy_gaps.csv"),
    pathvars:
        job="{variant}local_entropy",
    resources:
        mem_mb=memory(3000),
        runtime=60,
    params:
        **stage("autoencoder.local_entropy"),


use rule stage as measure_local_order with:
    input:
        unpack(made_from("autoencoder.measure_local_order")),
    output:
        table=update("<results>/{variant}tables/local_order.csv"),
    pathvars:
        job="{variant}measure_local_order",
    localrule: True
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        **stage("autoencoder.measure_local_order"),


use rule stage as measure_thermometer with:
    input:
        unpack(made_from("autoencoder.measure_thermometer")),
    output:
        table=update("<results>/{variant}tables/thermometer.csv"),
    pathvars:
        job="{variant}measure_thermometer",
    localrule: True
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        **stage("autoencoder.measure_thermometer"),


use rule stage as measure_exact_thermometers with:
    input:
        unpack(made_from("autoencoder.measure_exact_thermometers")),
    output:
        table=update("<results>/{variant}tables/exact_thermometers.csv"),
    pathvars:
        job="{variant}measure_exact_thermometers",
    localrule: True
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        **stage("autoencoder.measure_exact_thermometers"),


use rule stage as measure_weights with:
    input:
        unpack(made_from("autoencoder.measure_weights")),
    output:
        table=update("<results>/{variant}tables/weight_maps.csv"),
    pathvars:
        job="{variant}measure_weights",
    localrule: True
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        **stage("autoencoder.measure_weights"),


use rule stage as beta_flow with:
    input:
        unpack(made_from("autoencoder.beta_flow")),
    output:
        table=update("<results>/{variant}tables/beta_flow.csv"),
        fixed_points=update("<results>/{variant}tables/beta_fixed_point.csv"),
    pathvars:
        job="{variant}beta_flow",
    resources:
        mem_mb=memory(3000),
        runtime=60,
    params:
        **stage("autoencoder.beta_flow"),


use rule figure as plot_loss_curves with:
    input:
        unpack(made_from("autoencoder.plot_loss_curves")),
    output:
        **figure("loss_curves"),
    pathvars:
        job="{variant}plot_loss_curves",
    localrule: True
    params:
        **stage("autoencoder.plot_loss_curves"),


use rule figure as plot_reconstructions with:
    input:
        unpack(made_from("autoencoder.plot_reconstructions")),
    output:
        **figure("reconstructions"),
    pathvars:
        job="{variant}plot_reconstructions",
    localrule: True
    params:
        **stage("autoencoder.plot_reconstructions"),


use rule figure as plot_weight_matrices with:
    input:
        unpack(made_from("autoencoder.plot_weight_matrices")),
    output:
        **figure("weight_matrices"),
    pathvars:
        job="{variant}plot_weight_matrices",
    localrule: True
    params:
        **stage("autoencoder.plot_weight_matrices"),


use rule figure as plot_spin_correlations with:
    input:
        unpack(made_from("autoencoder.plot_spin_correlations")),
    output:
        **figure("spin_correlations"),
    pathvars:
        job="{variant}plot_spin_correlations",
    localrule: True
    params:
        **stage("autoencoder.plot_spin_correlations"),


use rule figure as plot_local_entropy with:
    input:
        unpack(made_from("autoencoder.plot_local_entropy")),
    output:
        **figure("local_entropy"),
    pathvars:
        job="{variant}plot_local_entropy",
    localrule: True
    params:
        **stage("autoencoder.plot_local_entropy"),


use rule figure as plot_lattice_gallery with:
    input:
        unpack(made_from("autoencoder.plot_lattice_gallery")),
    output:
        **figure("lattice_gallery"),
    pathvars:
        job="{variant}plot_lattice_gallery",
    localrule: True
    params:
        **stage("autoencoder.plot_lattice_gallery"),


use rule figure as plot_thermometer with:
    input:
        unpack(made_from("autoencoder.plot_thermometer")),
    output:
        **figure("thermometer"),
    pathvars:
        job="{variant}plot_thermometer",
    localrule: True
    params:
        **stage("autoencoder.plot_thermometer"),


use rule figure as plot_beta_flow with:
    input:
        unpack(made_from("autoencoder.plot_beta_flow")),
    output:
        **figure("beta_flow"),
    pathvars:
        job="{variant}plot_beta_flow",
    localrule: True
    params:
        **stage("autoencoder.plot_beta_flow"),


use rule figure as plot_autoencoder_wide_range_losses with:
    input:
        unpack(made_from("autoencoder.plot_autoencoder_wide_range_losses")),
    output:
        **figure("autoencoder_wide_range_losses"),
    pathvars:
        job="{variant}plot_autoencoder_wide_range_losses",
    localrule: True
    params:
        **stage("autoencoder.plot_autoencoder_wide_range_losses"),


use rule figure as plot_exact_thermometers with:
    input:
        unpack(made_from("autoencoder.plot_exact_thermometers")),
    output:
        **figure("exact_thermometers"),
    pathvars:
        job="{variant}plot_exact_thermometers",
    localrule: True
    params:
        **stage("autoencoder.plot_exact_thermometers"),


use rule figure as plot_loss_floors with:
    input:
        unpack(made_from("autoencoder.plot_loss_floors")),
    output:
        **figure("loss_floors"),
    pathvars:
        job="{variant}plot_loss_floors",
    localrule: True
    params:
        **stage("autoencoder.plot_loss_floors"),
