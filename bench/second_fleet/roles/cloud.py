"""Agents that live in AWS accounts: some leave CloudTrail alone, some their own log as well."""

ROLES = """
cloud_inventory | cloud | cloudtrail | round | 9 | awsread,multiaccount | hf-inventory-agent,asset-mapper | | Inventory
ec2:DescribeInstances | 9 | maxResults=200
ec2:DescribeSecurityGroups | 6 | groupId={sg}
s3:ListBuckets | 4 |
s3:GetBucketPolicy | 4 | bucketName={bucket}
iam:ListRoles | 2 | maxItems=100
iam:GetRole | 3 | roleName={iamrole}
lambda:ListFunctions | 4 |
rds:DescribeDBInstances | 4 |
config:GetComplianceDetailsByConfigRule | 2 | configRuleName=required-tags
sts:AssumeRole | 2 | roleArn=arn:aws:iam::{account}:role/hf-read-inventory ; roleSessionName=inventory

cost_keeper | finops | cloudtrail,otlp | nightly | 4 | awsread,finops,storage | rightsizer,SpendSage | | What can be switched off?
ce:GetCostAndUsage | 8 | granularity=DAILY >> ce:GetCostAndUsage granularity=DAILY
ec2:DescribeInstances | 7 | instancesSet={instance} >> ec2:DescribeInstances instancesSet={instance}
cloudwatch:GetMetricStatistics | 7 | metricName=CPUUtilization ; instanceId={instance} >> cloudwatch:GetMetricStatistics metricName=CPUUtilization
ec2:StopInstances | 1 | instanceId={instance} >> ec2:StopInstances instanceId={instance}
ec2:DeleteVolume | 0.6 | volumeId={vol} >> ec2:DeleteVolume volumeId={vol}
s3:PutBucketLifecycle | 0.2 | bucketName={bucket} >> s3:PutBucketLifecycle bucketName={bucket}
logs:PutRetentionPolicy | 0.4 | logGroupName={loggroup} ; retentionInDays=90 >> logs:PutRetentionPolicy logGroupName={loggroup} ; retentionInDays=90

infra_provisioner | cloud | cloudtrail | office | 7 | awsadmin,terraform,iamwrite,network,multiaccount | tf-applier,stack-pilot,landing-zone-agent | | Apply
sts:AssumeRole | 4 | roleArn=arn:aws:iam::{account}:role/hf-terraform-apply ; roleSessionName=apply-{num}
ec2:DescribeVpcs | 6 |
ec2:CreateTags | 5 | resourceId={instance}
ec2:RunInstances | 2 | imageId=ami-0{num}c1 ; instanceType=m7g.large
ec2:AuthorizeSecurityGroupIngress | 1.2 | groupId={sg} ; cidrIp=10.20.0.0/16 ; fromPort=443
iam:CreateRole | 0.8 | roleName=hf-{svc}-exec
iam:AttachRolePolicy | 0.8 | roleName={iamrole} ; policyArn=arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess
iam:PutRolePolicy | 0.9 | roleName={iamrole} ; policyName=access-{small}
iam:PassRole | 0.3 | roleName={iamrole}
s3:CreateBucket | 0.6 | bucketName=hf-new-{num}
s3:PutBucketPolicy | 0.4 | bucketName={bucket}
dynamodb:GetItem | 6 | tableName=tf-locks
s3:GetObject | 6 | bucketName=hf-tfstate ; key=env/{svc}.tfstate
s3:PutObject | 5 | bucketName=hf-tfstate ; key=env/{svc}.tfstate

lambda_ops | cloud | cloudtrail,temporal | round | 5 | serverless,aws | fnkeeper,EventPlumber | | Keep {func} going
lambda:GetFunction | 8 | functionName={func} >> lambda:GetFunction20150331 functionName={func}
lambda:UpdateFunctionCode | 2 | functionName={func} ; s3Key=build/{sha}.zip >> lambda:UpdateFunctionCode20150331v2 functionName={func}
lambda:Invoke | 6 | functionName={func} >> lambda:Invoke functionName={func}
lambda:UpdateFunctionConfiguration | 0.7 | functionName={func} ; timeout=30 >> lambda:UpdateFunctionConfiguration20150331v2 functionName={func}
logs:FilterLogEvents | 6 | logGroupName={loggroup} >> logs:FilterLogEvents logGroupName={loggroup}
sqs:GetQueueAttributes | 4 | queueUrl={queue} >> sqs:GetQueueAttributes queueUrl={queue}
sqs:PurgeQueue | 0.1 | queueUrl={queue} >> sqs:PurgeQueue queueUrl={queue}

backup_keeper | cloud | cloudtrail,temporal | nightly | 4 | backup,aws,snapshots,storage | SnapHerd,backup-auditor,vault-tender | | Nightly backup
rds:CreateDBSnapshot | 6 | dbInstanceIdentifier={dbinstance} ; dbSnapshotIdentifier={dbinstance}-{date} >> rds:CreateDBSnapshot dbInstanceIdentifier={dbinstance}
rds:DescribeDBSnapshots | 8 | dbInstanceIdentifier={dbinstance} >> rds:DescribeDBSnapshots dbInstanceIdentifier={dbinstance}
rds:DeleteDBSnapshot | 2 | dbSnapshotIdentifier={dbinstance}-{date} >> rds:DeleteDBSnapshot dbSnapshotIdentifier={dbinstance}-{date}
rds:CopyDBSnapshot | 1 | sourceDBSnapshotIdentifier={dbinstance}-{date} ; kmsKeyId={kms} >> rds:CopyDBSnapshot sourceDBSnapshotIdentifier={dbinstance}-{date}
ec2:CreateSnapshot | 5 | volumeId={vol} >> ec2:CreateSnapshot volumeId={vol}
backup:StartBackupJob | 4 | backupVaultName=hf-daily ; resourceArn={vol} >> backup:StartBackupJob backupVaultName=hf-daily
backup:ListRecoveryPoints | 5 | backupVaultName=hf-daily >> backup:ListRecoveryPoints backupVaultName=hf-daily

aws_guard | secops | cloudtrail | round | 5 | awsread,defence,multiaccount | posture-warden,guardrail-fixer | | Posture
guardduty:ListFindings | 8 | detectorId=12ab{small}
cloudtrail:DescribeTrails | 5 |
cloudtrail:GetTrailStatus | 5 | name=hf-org-trail
s3:GetBucketPublicAccessBlock | 6 | bucketName={bucket}
s3:PutBucketPublicAccessBlock | 0.7 | bucketName={bucket}
ec2:RevokeSecurityGroupIngress | 0.7 | groupId={sg} ; cidrIp=0.0.0.0/0
iam:GetAccountAuthorizationDetails | 1 |
iam:ListAccessKeys | 4 | userName={iamuser}
iam:UpdateAccessKey | 0.4 | userName={iamuser} ; status=Inactive
sts:AssumeRole | 2 | roleArn=arn:aws:iam::{account}:role/hf-audit ; roleSessionName=posture

sync_user | cloud | cloudtrail | round | 6 | longkey,storage | svc-partner-sync,svc-edge-upload | | Sync
s3:ListObjects | 6 | bucketName={bucket} ; prefix=in/
s3:GetObject | 9 | bucketName={bucket} ; key={objkey}
s3:PutObject | 7 | bucketName={bucket} ; key={objkey}
sts:GetCallerIdentity | 1 |

secrets_service | identity | cloudtrail | nightly | 4 | rotation,secrets,iamwrite,awskeys | key-rotator,hf-secrets-rotation | | Rotation
secretsmanager:DescribeSecret | 7 | secretId={secret}
secretsmanager:GetSecretValue | 4 | secretId={secret}
secretsmanager:PutSecretValue | 4 | secretId={secret}
secretsmanager:UpdateSecretVersionStage | 4 | secretId={secret}
iam:ListAccessKeys | 4 | userName={iamuser}
iam:CreateAccessKey | 1.5 | userName={iamuser}
iam:UpdateAccessKey | 1.5 | userName={iamuser} ; status=Inactive
iam:DeleteAccessKey | 1 | userName={iamuser}

fleet_commander | cloud | cloudtrail,maf | round | 4 | ssm,aws,shell | ssm-steward,instance-doctor | | Fleet health
ssm:DescribeInstanceInformation | 8 | maxResults=50 >> ssm:DescribeInstanceInformation maxResults=50
ssm:SendCommand | 5 | documentName=AWS-RunPatchBaseline ; instanceId={instance} >> ssm:SendCommand documentName=AWS-RunPatchBaseline ; instanceIds={instance}
ssm:GetCommandInvocation | 7 | instanceId={instance} ; commandId={hash} >> ssm:GetCommandInvocation instanceId={instance}
ssm:SendCommand | 0.6 | documentName=AWS-RunShellScript ; instanceId={instance} >> ssm:SendCommand documentName=AWS-RunShellScript ; instanceIds={instance}
ec2:RebootInstances | 0.6 | instanceId={instance} >> ec2:RebootInstances instanceId={instance}
ssm:GetParameter | 2 | name=/hf/{svc}/config >> ssm:GetParameter name=/hf/{svc}/config
"""  # noqa: E501
