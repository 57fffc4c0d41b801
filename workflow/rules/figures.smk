# Every figure of paper A and that of the certificates, as PDF and PNG. The style file is part of the code digest.
COARSE_GRAINERS = [name for name in SHALLOW_NETS if name.startswith("CG-")]
FIGURES = [
    "loss_curves",
    "reconstructions",
    "weight_matrices",
    "spin_correlations",
    "local_entropy",
    "lattice_gallery",
    "thermometer",
    "beta_flow",
    "autoencoder_wide_range_losses",
    "certificates",
]


rule plot_loss_curves:
    input:
        histories=histories_of("Model-1", "Model-2", "Model-2-CG"),
        losses=f"{RESULTS}/tables/model_losses.csv",
    output:
        pdf=f"{RESULTS}/figures/loss_curves.pdf",
        png=shown("loss_curves", "Losses", "Figures 9 and A.1"),
    log:
        f"{RESULTS}/logs/plot_loss_curves.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_loss_curves.tsv"
    localrule: True
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code_digest("stages.plot_loss_curves"),
    message:
        "Drawing loss_curves"
    shell:
        "python -m stages.plot_loss_curves --histories {input.histories} --losses {input.losses}"
        " --pdf {output.pdf} --png {output.png} --code {params.code} > {log} 2>&1"


rule plot_reconstructions:
    input:
        lattices=lattices_of("Model-1", 0),
        certificate=certified(lattices_of("Model-1", 0)),
        model_1=network_of("Model-1", 0),
        model_2=network_of("Model-2", 0),
        model_3=network_of("Model-3", 0),
    output:
        pdf=f"{RESULTS}/figures/reconstructions.pdf",
        png=shown("reconstructions", "Losses", "Figure 10"),
    log:
        f"{RESULTS}/logs/plot_reconstructions.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_reconstructions.tsv"
    localrule: True
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        spec=canonical_json(
            {"L": L, "lattice": config["lattices"]["critical"]["number"] - 1}
        ),
        code=code_digest("stages.plot_reconstructions"),
    message:
        "Drawing reconstructions"
    shell:
        "python -m stages.plot_reconstructions --lattices {input.lattices} --model-1 {input.model_1}"
        " --model-2 {input.model_2} --model-3 {input.model_3}"
        " --pdf {output.pdf} --png {output.png} --spec {params.spec:q} --code {params.code} > {log} 2>&1"


rule plot_weight_matrices:
    input:
        rg_1=network_of(COARSE_GRAINERS[0], 0),
        rg_2=network_of(COARSE_GRAINERS[1], 0),
        autoencoder=network_of("Model-1", 0),
    output:
        pdf=f"{RESULTS}/figures/weight_matrices.pdf",
        png=shown("weight_matrices", "Weights", "Figures 11, B.1 and B.2"),
    log:
        f"{RESULTS}/logs/plot_weight_matrices.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_weight_matrices.tsv"
    localrule: True
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code_digest("stages.plot_weight_matrices"),
    message:
        "Drawing weight_matrices"
    shell:
        "python -m stages.plot_weight_matrices --rg-1 {input.rg_1} --rg-2 {input.rg_2} --autoencoder {input.autoencoder}"
        " --pdf {output.pdf} --png {output.png} --code {params.code} > {log} 2>&1"


rule plot_spin_correlations:
    input:
        rg_1=network_of(COARSE_GRAINERS[0], 0),
        rg_2=network_of(COARSE_GRAINERS[1], 0),
        autoencoder=network_of("Model-1", 0),
    output:
        pdf=f"{RESULTS}/figures/spin_correlations.pdf",
        png=shown("spin_correlations", "Weights", "Figures 12, B.3 and B.4"),
    log:
        f"{RESULTS}/logs/plot_spin_correlations.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_spin_correlations.tsv"
    localrule: True
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        spec=canonical_json({"L": L}),
        code=code_digest("stages.plot_spin_correlations"),
    message:
        "Drawing spin_correlations"
    shell:
        "python -m stages.plot_spin_correlations --rg-1 {input.rg_1} --rg-2 {input.rg_2} --autoencoder {input.autoencoder}"
        " --pdf {output.pdf} --png {output.png} --spec {params.spec:q} --code {params.code} > {log} 2>&1"


rule plot_local_entropy:
    input:
        table=f"{RESULTS}/tables/local_entropy.csv",
    output:
        pdf=f"{RESULTS}/figures/local_entropy.pdf",
        png=shown("local_entropy", "Entropy", "Figure 13"),
    log:
        f"{RESULTS}/logs/plot_local_entropy.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_local_entropy.tsv"
    localrule: True
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code_digest("stages.plot_local_entropy"),
    message:
        "Drawing local_entropy"
    shell:
        "python -m stages.plot_local_entropy --table {input.table}"
        " --pdf {output.pdf} --png {output.png} --code {params.code} > {log} 2>&1"


rule plot_lattice_gallery:
    input:
        lattices=f"{RESULTS}/lattices/local_entropy.nc",
        certificate=certified(f"{RESULTS}/lattices/local_entropy.nc"),
        autoencoder=network_of(architecture.WIDE_RANGE_AUTOENCODER, 0),
    output:
        pdf=f"{RESULTS}/figures/lattice_gallery.pdf",
        png=shown("lattice_gallery", "Entropy", "Figure 14"),
    log:
        f"{RESULTS}/logs/plot_lattice_gallery.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_lattice_gallery.tsv"
    localrule: True
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        spec=canonical_json({"L": L, "betas": [0.025, 0.25, 0.5]}),
        code=code_digest("stages.plot_lattice_gallery"),
    message:
        "Drawing lattice_gallery"
    shell:
        "python -m stages.plot_lattice_gallery --lattices {input.lattices} --autoencoder {input.autoencoder}"
        " --pdf {output.pdf} --png {output.png} --spec {params.spec:q} --code {params.code} > {log} 2>&1"


rule plot_thermometer:
    input:
        table=f"{RESULTS}/tables/thermometer.csv",
        histories=histories_of(architecture.THERMOMETER),
    output:
        pdf=f"{RESULTS}/figures/thermometer.pdf",
        png=shown("thermometer", "Flow of beta", "Figure 15"),
    log:
        f"{RESULTS}/logs/plot_thermometer.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_thermometer.tsv"
    localrule: True
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code_digest("stages.plot_thermometer"),
    message:
        "Drawing thermometer"
    shell:
        "python -m stages.plot_thermometer --table {input.table} --histories {input.histories}"
        " --pdf {output.pdf} --png {output.png} --code {params.code} > {log} 2>&1"


rule plot_beta_flow:
    input:
        table=f"{RESULTS}/tables/beta_flow.csv",
        fixed_points=f"{RESULTS}/tables/beta_fixed_point.csv",
    output:
        pdf=f"{RESULTS}/figures/beta_flow.pdf",
        png=shown("beta_flow", "Flow of beta", "Figure 16"),
    log:
        f"{RESULTS}/logs/plot_beta_flow.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_beta_flow.tsv"
    localrule: True
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code_digest("stages.plot_beta_flow"),
    message:
        "Drawing beta_flow"
    shell:
        "python -m stages.plot_beta_flow --table {input.table} --fixed-points {input.fixed_points}"
        " --pdf {output.pdf} --png {output.png} --code {params.code} > {log} 2>&1"


rule plot_autoencoder_wide_range_losses:
    input:
        histories=histories_of(architecture.WIDE_RANGE_AUTOENCODER),
    output:
        pdf=f"{RESULTS}/figures/autoencoder_wide_range_losses.pdf",
        png=shown("autoencoder_wide_range_losses", "Losses", "Figure A.2"),
    log:
        f"{RESULTS}/logs/plot_autoencoder_wide_range_losses.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_autoencoder_wide_range_losses.tsv"
    localrule: True
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code_digest("stages.plot_autoencoder_wide_range_losses"),
    message:
        "Drawing autoencoder_wide_range_losses"
    shell:
        "python -m stages.plot_autoencoder_wide_range_losses --histories {input.histories}"
        " --pdf {output.pdf} --png {output.png} --code {params.code} > {log} 2>&1"


rule plot_certificates:
    input:
        table=f"{RESULTS}/tables/certificates.csv",
    output:
        pdf=f"{RESULTS}/figures/certificates.pdf",
        png=shown("certificates", "Certificates", category="Lattices"),
    log:
        f"{RESULTS}/logs/plot_certificates.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_certificates.tsv"
    localrule: True
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code_digest("stages.plot_certificates"),
    message:
        "Drawing certificates"
    shell:
        "python -m stages.plot_certificates --table {input.table}"
        " --pdf {output.pdf} --png {output.png} --code {params.code} > {log} 2>&1"
