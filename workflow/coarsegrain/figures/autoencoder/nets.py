"""What the figures of study A share: colours and names of nets and lattices, and the paper."""

PAPER = "Shukla & Thakur 2021, arXiv:2108.06157"

# One colour per net, the same in every figure; nets that share an axis stay apart for readers
# with any of the common colour deficiencies (tests/figures/test_style_figure.py). Blue, orange,
# vermilion and green are Okabe & Ito's (2008), the others Tol's "muted" set (2021).
NET_COLOURS = {
    "Model-1": "#0072B2",
    "Model-2": "#E69F00",
    "Model-2-CG": "#D55E00",
    "Model-3": "#009E73",
    "Model-3-HCG": "#882255",
    "AE-WR": "#332288",
    "CG": "#CC6677",
    "thermometer": "#117733",
}
NET_LABELS = {
    "Model-1": "Model-1: autoencoder, trained end to end",
    "Model-2": "Model-2: hard-coded coarse-grainers, trained decoder",
    "Model-2-CG": "Model-2-CG: trained coarse-grainers, trained decoder",
    "Model-3": "Model-3: everything transferred, nothing trained further",
    "Model-3-HCG": "Model-3-HCG: hard-coded coarse-grainers, transferred decoder",
}
# Lattices take the colour of the net that made them: the autoencoder of figs. 13-16 is AE-WR,
# decimation is what the CG nets learn.
LATTICE_COLOURS = {
    "input": "#404040",
    "autoencoder": NET_COLOURS["AE-WR"],
    "decimated": NET_COLOURS["CG"],
}
