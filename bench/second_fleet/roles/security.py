"""Agents of the security teams."""

ROLES = """
soc_triage | secops | otlp,maf | round | 9 | edr,siem,tickets | Sentry Triage EMEA,Sentry Triage AMER,soc-l1-apac | enrichment | Triage alert {alert} / What is behind {alert} on {host}?
siem.search | 9 | query=host:{host} AND severity:>=3 ; earliest=-24h
edr.get_detection | 8 | detection_id={alert}
edr.process_tree | 4 | detection_id={alert} ; hostname={host}
intel.lookup_ip | 5 | indicator={extip}
cmdb.get_asset | 3 | asset={host}
directory.get_user | 2 | user={employee}
!edr.contain_host | 0.5 | hostname={host} ; reason=alert {alert}
edr.release_host | 0.2 | hostname={host}
edr.fetch_file | 0.3 | hostname={host} ; sha256={hash}
tickets.add_comment | 6 | ticket={ticket} ; body=Reviewed {alert} on {host}.
tickets.close | 4 | ticket={ticket} ; resolution=false positive

enrichment | secops | otlp | round | 4 | intel | intel-enricher,Passive Lookup | | Enrich {extip}
intel.lookup_ip | 9 | indicator={extip}
intel.lookup_domain | 8 | indicator={domain}
intel.lookup_hash | 5 | indicator={hash}
whois.query | 3 | name={domain}
sandbox.submit_url | 1 | url=https://{domain}/
http.get | 0.7 | url=https://{domain}/robots.txt

incident_response | secops | maf,temporal | round | 2.2 | edr,forensics,shell | ir-runner,Breakwater | enrichment | Collect what {host} shows for {ticket}
edr.live_response | 5 | hostname={host} ; command=ps aux --sort=-start_time
edr.collect_artifacts | 4 | hostname={host} ; profile=triage
!edr.contain_host | 2 | hostname={host} ; reason={ticket}
!directory.disable_user | 0.7 | user={employee} ; reason={ticket}
!directory.revoke_sessions | 1 | user={employee}
!firewall.block_address | 1 | device={fw} ; address={extip} ; ttl_hours=72
siem.search | 6 | query=src_ip:{ip} OR host:{host} ; earliest=-7d
itsm.get_change | 0.4 | change={change}
!edr.add_exclusion | 0.1 | scope={host} ; path=/opt/{svc}/bin
forensics.copy_disk | 0.4 | hostname={host} ; to=evidence/{ticket}
tickets.add_comment | 5 | ticket={ticket} ; body=Artifacts of {host} collected.

phishing_desk | secops | otlp | office | 7 | mail,inbox | mailguard-desk,Abuse Mailbox Reader | enrichment | Look at reported mail {case}
mailbox.read_message | 9 | mailbox=abuse@harlow-freight.example ; message_id={case}
mail.trace | 4 | recipient={employee} ; hours=24
intel.lookup_domain | 6 | indicator={domain}
sandbox.detonate | 2 | message_id={case}
mail.quarantine | 1 | message_id={case} ; scope=tenant
mail.block_sender_domain | 0.4 | domain={domain}
mailbox.reply | 5 | to={employee} ; message_id={case} ; text=Thank you, we looked at it.

vuln_manager | secops | otlp,temporal | weekly | 5 | scanner,tickets | vuln-sweeper,Kaizen Vuln | | Which hosts still have {cve}?
scanner.list_findings | 8 | cve={cve} ; limit=50
scanner.start_scan | 3 | target={host} ; profile=authenticated
scanner.get_scan | 6 | scan_id={num}
cmdb.get_asset | 5 | asset={host}
scanner.add_exception | 0.3 | cve={cve} ; asset={host} ; until=2026-12-31
tickets.create | 4 | project=OPS ; summary=Patch {cve} on {host}
scanner.rotate_scan_credential | 0.1 | credential=scan-linux

network_ops | network | temporal,maf | round | 3 | firewall,network | FabricKeeper,edge-rule-broker,NetOpsWorkflow | | Carry out {change}
itsm.get_change | 7 | change={change}
firewall.show_rules | 6 | device={fw} ; zone=dmz
!firewall.add_rule | 2.5 | device={fw} ; src={ip} ; dst={ip} ; port={small}443 ; change={change}
!firewall.remove_rule | 1 | device={fw} ; rule={num} ; change={change}
switch.show_interface | 5 | device={switch} ; port=Gi1/0/{small}
!switch.set_vlan | 1.5 | device={switch} ; port=Gi1/0/{small} ; vlan={small}
ipam.reserve | 2 | hostname={host}
dns.upsert_record | 2 | name={host}.{domain} ; value={ip}
firewall.commit | 2 | device={fw} ; comment={change}
itsm.close_change | 4 | change={change} ; result=successful

iam_hygiene | identity | temporal,otlp | nightly | 3 | iam,directory | Idle Access Sweep,access-reviewer,EntitlementJanitor | | Review stale access
directory.list_stale_accounts | 6 | days=90
directory.get_user | 8 | user={employee}
directory.list_group_members | 5 | group={channel}
!directory.remove_from_group | 2 | user={employee} ; group={channel}
!directory.disable_user | 1 | user={employee} ; reason=inactive
itsm.get_change | 1 | change={change}
!vault.write_policy | 0.2 | name={svc} ; rule=path stage read
vault.list_leases | 2 | prefix={secret}
vault.revoke_lease | 1 | lease={secret}/{hash}
directory.export_report | 1 | report=stale-access ; day={date}

secret_rotation | identity | temporal | nightly | 4 | vault,rotation | RotateCredentials,Turnkey | | Rotate what is due
vault.read_metadata | 8 | path={secret}
vault.read_secret | 4 | path={secret}
db.alter_password | 4 | database={db} ; user=app_{small}
vault.write_secret | 5 | path={secret} ; version=next
db.test_login | 5 | database={db}
notify.post | 2 | channel={channel} ; text=rotated {secret}

helpdesk | it | otlp,maf | office | 9 | helpdesk,directory,mail | Deskside,it-helper-1,it-helper-2,Ask IT | | {employee} cannot sign in, case {case}
helpdesk.get_case | 9 | case={case}
directory.get_user | 7 | user={employee}
helpdesk.verify_caller | 2 | case={case} ; user={employee}
directory.unlock_account | 3 | user={employee}
directory.reset_password | 2.5 | user={employee} ; delivery=manager
!directory.reset_mfa | 0.8 | user={employee} ; reason=case {case}
mdm.get_device | 3 | user={employee}
mdm.push_profile | 1 | user={employee} ; profile=wifi-2026
licences.assign | 1 | user={employee} ; product=office
helpdesk.reply | 7 | case={case} ; text=Please try again.
helpdesk.resolve | 5 | case={case}
"""  # noqa: E501
