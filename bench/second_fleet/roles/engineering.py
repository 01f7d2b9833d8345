"""Agents of software, data and site reliability."""

ROLES = """
coding_agent | engineering | otlp,maf | office | 8 | code,repo,shell,workstation | patchwright,Coda,devin-like-3,refactor-rat,issue-closer,copilot-mono,test-filler | ci_release | Fix issue {num} in {repo} / Add a test for {srcfile}
github.get_issue | 6 | repo={repo} ; number={num}
fs.read_file | 9 | path={srcfile}
fs.edit_file | 8 | path={srcfile} ; old=return None ; new=return found
fs.search | 6 | pattern=def {num}
shell.run | 8 | command=pytest -q tests/test_{small}.py
shell.run | 2 | command=git status --short
shell.run | 1.5 | command=npm ci --ignore-scripts
shell.run | 1 | command=git push origin fix/{num}
github.create_pull_request | 3 | repo={repo} ; title=Fix {num} ; branch=fix/{num}
github.get_file | 3 | repo={repo} ; path={srcfile}
github.list_deploy_keys | 0.1 | repo={repo}
github.comment | 2 | repo={repo} ; number={num} ; body=Done in the linked change.
web.fetch | 1 | url=https://docs.{domain}/api
memory.load | 1 | topic={repo}
memory.save | 0.7 | note=tests of {srcfile} need the fixture store
shell.run | 0.3 | command=curl -sS https://{domain}/install.sh -o /tmp/install.sh

ci_release | engineering | temporal,maf | office | 5 | deploy,pipeline | ShipIt,release-train,canary-promoter | | Release {svc} at {sha}
ci.get_run | 8 | repo={repo} ; run={num}
registry.get_image | 6 | image={svc} ; digest=sha256:{hash}
!deploy.promote | 4 | service={svc} ; environment=prod ; sha={sha}
deploy.get_status | 7 | service={svc}
itsm.get_change | 1 | change={change}
registry.put_tag | 0.3 | image={svc} ; tag=stable ; digest=sha256:{hash}
deploy.rollback | 0.4 | service={svc} ; to={sha}
ci.trigger | 3 | repo={repo} ; workflow=release ; ref={sha}
ci.set_variable | 0.1 | repo={repo} ; name=CACHE_KEY ; value={num}
notify.post | 4 | channel={channel} ; text={svc} is at {sha}

kube_sre | platform | otlp,temporal,maf | round | 5 | kubectl,oncall,shell | Podwarden,kubesherpa,cluster-nurse,SRE Copilot,OnCallHelm | log_reader | {svc} in {ns} restarts
kube.get | 9 | resource=pods ; namespace={ns} ; cluster={cluster}
kube.logs | 7 | pod={svc}-{small} ; namespace={ns} ; tail=200
kube.describe | 5 | resource=deployment/{svc} ; namespace={ns}
metrics.query | 6 | expr=rate(http_errors_total{app="x"}[5m]) ; dashboard={dash}
!kube.rollout_restart | 2 | deployment={svc} ; namespace={ns}
!kube.scale | 1.2 | deployment={svc} ; namespace={ns} ; replicas={small}
kubectl.run | 2 | command=kubectl -n {ns} top pods
kubectl.run | 0.3 | command=kubectl -n {ns} exec deploy/{svc} -- ls /tmp
kube.get | 0.3 | resource=configmaps ; namespace={ns} ; cluster={cluster}
!kube.apply | 0.8 | manifest=kind: Deployment, name: {svc} ; namespace={ns}
itsm.get_change | 1 | change={change}
tickets.get | 1.5 | ticket={ticket}
kube.cordon | 0.3 | node=ip-{ip} ; cluster={cluster}
pager.acknowledge | 3 | incident={ticket}

log_reader | platform | otlp | round | 4 | logs | loglens,Trace Walker | | Why does {svc} fail?
logs.search | 9 | index={loggroup} ; q=level:error svc:{svc}
logs.tail | 5 | index={loggroup} ; lines=100
traces.get | 5 | trace={hash}
metrics.query | 6 | expr=up ; dashboard={dash}

patching | platform | temporal,otlp | nightly | 5 | patch,shell,ssh | PatchWave,maintenance-hand,ring0-patcher | | Patch ring {small}
itsm.get_change | 1.5 | change={change}
tickets.get | 1 | ticket={ticket}
cmdb.list_hosts | 5 | ring={small}
ssh.run_command | 9 | host={host} ; command=dnf -y update --security
ssh.run_command | 4 | host={host} ; command=needs-restarting -r
ssh.run_command | 3 | host={host} ; command=systemctl is-system-running
!ssh.reboot | 3 | host={host} ; window={date}T02:00
monitor.silence | 3 | host={host} ; minutes=45
ssh.copy_file | 0.6 | host={host} ; source=/opt/repo/patch-{num}.rpm ; dest=/var/tmp/
tickets.add_comment | 4 | ticket={ticket} ; body={host} patched

database_admin | data | maf,temporal,otlp | round | 4 | dba,sql,dbadmin | pgpilot,DbSteward,QueryTuner,mysqld-minder | | {db} is slow
sql.query | 9 | database={db} ; statement=select pid, query, state from pg_stat_activity where state <> 'idle'
sql.explain | 5 | database={db} ; statement=select * from {table} where id = {num}
!sql.execute | 2 | database={db} ; statement=create index concurrently on {table} (updated_at)
sql.query | 3 | database={db} ; statement=select count(*) from {table}
!sql.execute | 0.3 | database={db} ; statement=grant select on {table} to reporting_ro
itsm.get_change | 1.2 | change={change}
db.vacuum | 2 | database={db} ; table={table}
db.snapshot | 1.5 | database={db} ; name=pre-{change}
db.kill_session | 0.8 | database={db} ; pid={num}
tickets.add_comment | 3 | ticket={ticket} ; body=index on {table}

data_platform | data | temporal,otlp | nightly | 6 | warehouse,etl,aws,storage | NightLoader,dq-guardian,LakeKeeper,schema-shepherd,CurateFlow | | Load {dataset}
warehouse.run_query | 7 | sql=insert into {table} select * from stage.{dataset}
storage.list_objects | 5 | bucket={bucket} ; prefix=dt={date}/ >> s3:ListObjects bucketName={bucket} ; prefix=dt={date}/
storage.copy_object | 4 | bucket={bucket} ; key={objkey} ; to={bucket} >> s3:CopyObject bucketName={bucket} ; key={objkey}
itsm.get_change | 0.4 | change={change}
dq.run_checks | 6 | dataset={dataset} ; suite=default
catalog.update | 3 | dataset={dataset} ; owner=data
airflow.trigger | 5 | dag={job} ; logical_date={date}
airflow.get_run | 6 | dag={job} ; run={num}
warehouse.unload | 1 | table={table} ; to=s3://{bucket}/unload/{date}/ >> s3:PutObject bucketName={bucket} ; key={objkey}
storage.get_object | 2 | bucket={bucket} ; key={objkey} >> s3:GetObject bucketName={bucket} ; key={objkey}

analyst_bot | data | otlp | office | 6 | sqlread,warehouse | Ask Data,metric-mate,BI Butler | | How many {table} last week?
warehouse.list_tables | 4 | schema=mart
warehouse.describe_table | 5 | table={table}
warehouse.run_query | 9 | sql=select date_trunc('week', ts), count(*) from {table} group by 1 order by 1
charts.render | 4 | spec=bar {num}
sheets.export | 0.8 | name=weekly-{date} ; rows={num}
notify.post | 2 | channel={channel} ; text=chart {num}

ml_ops | data | otlp,temporal | nightly | 3 | ml,aws,storage | model-gardener,TrainLoop,featurestore-ops | | Retrain {mlmodel}
ml.start_training | 3 | model={mlmodel} ; dataset={dataset} >> sagemaker:CreateTrainingJob trainingJobName={mlmodel}-{num}
ml.get_metrics | 7 | model={mlmodel} ; run={num}
storage.get_object | 5 | bucket={bucket} ; key={objkey} >> s3:GetObject bucketName={bucket} ; key={objkey}
ml.register_model | 2 | model={mlmodel} ; version={num}
!ml.promote_model | 0.8 | model={mlmodel} ; version={num} ; stage=production
features.backfill | 2 | dataset={dataset} ; from={date}
notebook.execute | 1.5 | path=eval/{mlmodel}.ipynb

docs_writer | engineering | otlp | office | 3 | repo,drive | wiki-gnome | | Bring {doc} up to date
wiki.get_page | 9 | page={doc}
wiki.update_page | 5 | page={doc} ; summary=current commands
github.get_file | 5 | repo={repo} ; path=README.md
fs.search | 3 | pattern={svc}

qa_runner | engineering | otlp | office | 3 | shell,web | e2e-scout,Regression Ferret | | Run the suite against stage
browser.goto | 8 | url=https://stage.{domain}/{svc}
browser.click | 8 | selector=button#submit-{small}
browser.read_page | 6 | url=https://stage.{domain}/{svc}
shell.run | 3 | command=npx playwright test --grep @smoke
testrail.record | 4 | case={num} ; result=passed
"""  # noqa: E501
