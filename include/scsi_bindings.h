/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What bindgen reads for the SCSI abstraction out of tree. In tree these lines stand in
 * rust/bindings/bindings_helper.h.
 */

#include <scsi/scsi.h>
#include <scsi/scsi_cmnd.h>
#include <scsi/scsi_device.h>
#include <scsi/scsi_eh.h>
#include <scsi/scsi_host.h>
#include <scsi/scsi_proto.h>
