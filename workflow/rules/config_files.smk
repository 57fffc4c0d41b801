# Config files are data. Read here before `configfile:` reads them, which runs the Python code of
# one that is a template. (Those of --configfile it has read already; they are refused all the same.)
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.current_basedir).parent))

from coarsegrain.errors import ConfigError
from pipeline.config_file import read_config_file

try:
    for file in (Path("config.yaml"), *workflow.config_settings.configfiles):
        read_config_file(Path(file))
except ConfigError as error:
    raise WorkflowError(str(error)) from None
