"""What rules, logs and jobs are called where these tests look for them."""

# Two trainings: their results, and what Slurm calls their jobs (its comments).
CUT = "results/smoke/nets/Model-1/member-0"
CUT_JOB = "rule_train_net_wildcards__Model-1_0"
CUT_LOG = "results/smoke/logs/train_net/Model-1/member-0.log"
ALONE = "results/smoke/nets/CG-64-32/member-0"

# A rule that trains, one of its results, and its log.
TRAINING_RULE = "train_net"
TRAINED = "results/smoke/nets/thermometer/member-0.safetensors"
TRAINING_LOG = "results/smoke/logs/train_net/thermometer/member-0.log"
