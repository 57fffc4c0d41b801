# Study C: the neural network renormalization group.


use rule stage as train_flow with:
    input:
        unpack(made_from("neuralrg.train_flow")),
    output:
        flow=update("<results>/{variant}flows/{flow}/member-{member}.safetensors"),
        history=update("<results>/{variant}flows/{flow}/member-{member}.history.csv"),
    pathvars:
        job="train_flow/{variant}{flow}/member-{member}",
    wildcard_constraints:
        # also one of a smaller lattice, from which larger ones grow
        flow=f'({any_of(EXPERIMENT.studies["neuralrg"].trained_by("train_flow"))})(-L[0-9]+)?',
    resources:
        mem_mb=memory(2000),
        runtime=TRAINING_MINUTES,
    params:
        **stage("neuralrg.train_flow", checkpoint_minutes=config["checkpoint_minutes"]),


use rule stage as train_patch_flow with:
    input:
        unpack(made_from("neuralrg.train_patch_flow")),
    output:
        flow=update("<results>/{variant}flows/{flow}/member-{member}.safetensors"),
        history=update("<results>/{variant}flows/{flow}/member-{member}.history.csv"),
    pathvars:
        job="train_patch_flow/{variant}{flow}/member-{member}",
    wildcard_constraints:
        flow=any_of(EXPERIMENT.studies["neuralrg"].trained_by("train_patch_flow")),
    resources:
        mem_mb=memory(2000),
        runtime=TRAINING_MINUTES,
    params:
        **stage(
            "neuralrg.train_patch_flow",
            checkpoint_minutes=config["checkpoint_minutes"],
        ),


use rule stage as measure_gap with:
    input:
        unpack(made_from("neuralrg.measure_gap")),
    output:
        gap=update("<results>/{variant}flows/{flow}/member-{member}.gap.csv"),
        observed=update(
            "<results>/{variant}flows/{flow}/member-{member}.observables.csv"
        ),
        coverage=update("<results>/{variant}flows/{flow}/member-{member}.coverage.csv"),
    pathvars:
        job="measure_gap/{variant}{flow}/member-{member}",
    threads: config["threads"]
    resources:
        mem_mb=memory(3000),
        runtime=60,
    params:
        **stage("neuralrg.measure_gap"),


use rule stage as measure_information with:
    input:
        unpack(made_from("neuralrg.measure_information")),
    output:
        table=update("<results>/{variant}flows/{flow}/member-{member}.information.csv"),
        total=update("<results>/{variant}flows/{flow}/member-{member}.total.csv"),
    pathvars:
        job="measure_information/{variant}{flow}/member-{member}",
    threads: config["threads"]
    resources:
        mem_mb=memory(2000),
        runtime=60,
    params:
        **stage("neuralrg.measure_information"),


use rule stage as measure_field_information with:
    input:
        unpack(made_from("neuralrg.measure_field_information")),
    output:
        table=update("<results>/{variant}fields/member-{member}.information.csv"),
        total=update("<results>/{variant}fields/member-{member}.total.csv"),
    pathvars:
        job="measure_field_information/{variant}member-{member}",
    threads: config["threads"]
    resources:
        mem_mb=memory(2000),
        runtime=60,
    params:
        **stage("neuralrg.measure_field_information"),


use rule stage as collect_information with:
    input:
        unpack(made_from("neuralrg.collect_information")),
    output:
        table=update("<results>/{variant}tables/neuralrg_information.csv"),
        total_table=update("<results>/{variant}tables/neuralrg_total_correlation.csv"),
    pathvars:
        job="{variant}collect_information",
    localrule: True
    params:
        **stage("neuralrg.collect_information"),


use rule stage as measure_scales with:
    input:
        unpack(made_from("neuralrg.measure_scales")),
    output:
        energies=update("<results>/{variant}flows/{flow}/member-{member}.energies.csv"),
        couplings=update(
            "<results>/{variant}flows/{flow}/member-{member}.couplings.csv"
        ),
        patterns=update("<results>/{variant}flows/{flow}/member-{member}.patterns.csv"),
        exponents=update(
            "<results>/{variant}flows/{flow}/member-{member}.exponents.csv"
        ),
        examples=update("<results>/{variant}flows/{flow}/member-{member}.examples.csv"),
    pathvars:
        job="measure_scales/{variant}{flow}/member-{member}",
    threads: config["threads"]
    resources:
        mem_mb=memory(3000),
        runtime=60,
    params:
        **stage("neuralrg.measure_scales"),


use rule stage as collect_scales with:
    input:
        unpack(made_from("neuralrg.collect_scales")),
    output:
        energies_table=update("<results>/{variant}tables/neuralrg_scales.csv"),
        couplings_table=update("<results>/{variant}tables/neuralrg_couplings.csv"),
        patterns_table=update("<results>/{variant}tables/neuralrg_patterns.csv"),
        exponents_table=update("<results>/{variant}tables/neuralrg_exponents.csv"),
        examples_table=update("<results>/{variant}tables/neuralrg_examples.csv"),
    pathvars:
        job="{variant}collect_scales",
    localrule: True
    params:
        **stage("neuralrg.collect_scales"),


use rule stage as collect_gaps with:
    input:
        unpack(made_from("neuralrg.collect_gaps")),
    output:
        gaps_table=update("<results>/{variant}tables/neuralrg_gaps.csv"),
        observed_table=update("<results>/{variant}tables/neuralrg_observables.csv"),
        coverage_table=update("<results>/{variant}tables/neuralrg_coverage.csv"),
        training_table=update("<results>/{variant}tables/neuralrg_training.csv"),
        gaussian_table=update("<results>/{variant}tables/neuralrg_gaussian.csv"),
    pathvars:
        job="{variant}collect_gaps",
    localrule: True
    params:
        **stage("neuralrg.collect_gaps"),


use rule stage as compare_samplers with:
    input:
        unpack(made_from("neuralrg.compare_samplers")),
    output:
        table=update("<results>/{variant}flows/{flow}/member-{member}.samplers.csv"),
    pathvars:
        job="compare_samplers/{variant}{flow}/member-{member}",
    wildcard_constraints:
        flow=any_of(EXPERIMENT.studies["neuralrg"].trained_by("train_flow")),
    threads: config["threads"]
    resources:
        mem_mb=memory(3000),
        runtime=60,
    params:
        **stage("neuralrg.compare_samplers"),


use rule stage as collect_samplers with:
    input:
        unpack(made_from("neuralrg.collect_samplers")),
    output:
        table=update("<results>/{variant}tables/neuralrg_samplers.csv"),
    pathvars:
        job="{variant}collect_samplers",
    localrule: True
    params:
        **stage("neuralrg.collect_samplers"),


use rule figure as plot_gap with:
    input:
        unpack(made_from("neuralrg.plot_gap")),
    output:
        **figure("gap"),
    pathvars:
        job="{variant}plot_gap",
    localrule: True
    params:
        **stage("neuralrg.plot_gap"),


use rule figure as plot_information with:
    input:
        unpack(made_from("neuralrg.plot_information")),
    output:
        **figure("information"),
    pathvars:
        job="{variant}plot_information",
    localrule: True
    params:
        **stage("neuralrg.plot_information"),


use rule figure as plot_scales with:
    input:
        unpack(made_from("neuralrg.plot_scales")),
    output:
        **figure("scales"),
    pathvars:
        job="{variant}plot_scales",
    localrule: True
    params:
        **stage("neuralrg.plot_scales"),


use rule figure as plot_patterns with:
    input:
        unpack(made_from("neuralrg.plot_patterns")),
    output:
        **figure("patterns"),
    pathvars:
        job="{variant}plot_patterns",
    localrule: True
    params:
        **stage("neuralrg.plot_patterns"),


use rule figure as plot_samples_by_scale with:
    input:
        unpack(made_from("neuralrg.plot_samples_by_scale")),
    output:
        **figure("samples_by_scale"),
    pathvars:
        job="{variant}plot_samples_by_scale",
    localrule: True
    params:
        **stage("neuralrg.plot_samples_by_scale"),


use rule figure as plot_coverage with:
    input:
        unpack(made_from("neuralrg.plot_coverage")),
    output:
        **figure("coverage"),
    pathvars:
        job="{variant}plot_coverage",
    localrule: True
    params:
        **stage("neuralrg.plot_coverage"),


use rule figure as plot_samplers with:
    input:
        unpack(made_from("neuralrg.plot_samplers")),
    output:
        **figure("samplers"),
    pathvars:
        job="{variant}plot_samplers",
    localrule: True
    params:
        **stage("neuralrg.plot_samplers"),


use rule figure as plot_gap_by_setting with:
    input:
        unpack(made_from("neuralrg.plot_gap_by_setting")),
    output:
        pdf=update("<results>/figures/variants/gap_by_setting.pdf"),
        png=update("<results>/figures/variants/gap_by_setting.png"),
    pathvars:
        job="plot_gap_by_setting",
    localrule: True
    params:
        **stage("neuralrg.plot_gap_by_setting"),
