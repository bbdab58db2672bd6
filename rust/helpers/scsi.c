// SPDX-License-Identifier: GPL-2.0

#include <linux/ratelimit.h>
#include <scsi/scsi_host.h>

__rust_helper void *rust_helper_shost_priv(struct Scsi_Host *shost)
{
	return shost_priv(shost);
}

__rust_helper void rust_helper_ratelimit_state_init(struct ratelimit_state *rs,
						    int interval, int burst)
{
	ratelimit_state_init(rs, interval, burst);
}
