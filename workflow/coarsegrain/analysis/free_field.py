"""The free field nearest to samples: a normal density with their covariance, of one sign or two.

All that a linear theory can tell of a lattice of fields. Plane waves are independent and normal,
with the variances S_k of the samples; the same for all translations. Of two signs, ±, the uniform
wave u = Σy/√m has the density ½ N(u; μ, σ²) + ½ N(u; −μ, σ²) with the samples' second and fourth
moments: μ⁴ = (3 ⟨u²⟩² − ⟨u⁴⟩)/2, σ² = ⟨u²⟩ − μ². Near and below the critical point its two modes
are all that makes a small lattice's fields no normal ones at first sight. Fields that prefer one
sign, since a flow has chosen it, have one mode, at their mean.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coarsegrain.analysis.statistics import standard_error

Array = npt.NDArray[np.float64]

#: Of ⟨u²⟩, the share that the two modes may have at most: they keep a width.
_LARGEST_SHARE = 0.99
#: From so many standard errors of their mean on, fields prefer a sign.
_PREFERENCE = 6.0


@dataclass(frozen=True)
class FreeField:
    """A density of fields (n, L, L).

    Attributes:
        spectrum: (L, L) variances S_k of plane waves, in the order of ``numpy.fft.fft2``; of the
            uniform one, around either of its modes.
        modes: their distance μ from 0.
        one_sign: whether there is the one at μ only.
    """

    spectrum: Array
    modes: float = 0.0
    one_sign: bool = False

    def log_density(self, fields: Array) -> Array:
        """ln of the density in nats, (n,)."""
        sites = self.spectrum.size
        power = np.abs(np.fft.fft2(fields)) ** 2 / sites
        power[:, 0, 0] = 0
        normal = power / self.spectrum + np.log(2 * np.pi * self.spectrum)
        uniform = fields.sum(axis=(1, 2)) / np.sqrt(sites)
        up, down = (
            -((uniform - mode) ** 2) / (2 * self.spectrum[0, 0])
            for mode in (self.modes, -self.modes)
        )
        of_uniform = up if self.one_sign else np.logaddexp(up, down) - np.log(2)
        return np.asarray(of_uniform - normal.sum(axis=(1, 2)) / 2)


def free_field(fields: Array, *, two_signs: bool = False) -> FreeField:
    """The free field with the covariance of samples.

    Args:
        fields: (n, L, L), translation invariant.
        two_signs: whether the uniform wave has two modes.
    """
    spectrum = (np.abs(np.fft.fft2(fields)) ** 2).mean(axis=0) / fields[0].size
    uniform = fields.sum(axis=(1, 2)) / np.sqrt(fields[0].size)
    mean = float(uniform.mean())
    if abs(mean) > _PREFERENCE * standard_error(uniform):
        spectrum[0, 0] -= mean**2
        return FreeField(spectrum, mean, one_sign=True)
    if not two_signs:
        return FreeField(spectrum)
    square = uniform**2
    of_modes = max(0.0, (3 * square.mean() ** 2 - (square**2).mean()) / 2) ** 0.5
    of_modes = min(of_modes, _LARGEST_SHARE * spectrum[0, 0])
    spectrum[0, 0] -= of_modes
    return FreeField(spectrum, float(np.sqrt(of_modes)))
