// SPDX-License-Identifier: GPL-2.0

#include <scsi/scsi_host.h>

__rust_helper void *rust_helper_shost_priv(struct Scsi_Host *shost)
{
	return shost_priv(shost);
}
