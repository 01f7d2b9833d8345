"""An agent's temporary or long-lived key is used from where the agent does not run."""

from __future__ import annotations

from bench.second_fleet.draft import Draft, as_other

ROOM_DAYS = 3.0


def attack(d: Draft) -> None:
    match d.choose("metadata_theft", "long_key_from_a_repository", "quiet_reader"):
        case "metadata_theft":
            a, wire = (
                d.pick("aws", "ssm", "storage", "awsread"),
                "aws-cli/2.15.0 Python/3.11 Linux/6.6.9-amd64 exe/x86_64.kali.2024",
            )
            steps = [
                d.aws("sts:GetCallerIdentity"),
                d.aws("s3:ListBuckets"),
                d.aws("ec2:DescribeInstances", {"maxResults": 1000}),
                d.aws("iam:ListUsers", {}, error="permission denied"),
                d.aws("s3:GetObject", {"bucketName": d.usual("bucket", a), "key": "config/app.yml"}),
            ]
            d.run(a, as_other(steps, d.new_ip(), wire), gap=(5, 80), aws_only=True)
            d.tell("minutes", "")
        case "long_key_from_a_repository":
            a, ip = d.pick("longkey"), d.new_ip()
            wire = "Boto3/1.26.0 md/Botocore#1.29.0"
            for _ in range(3):
                keys = [
                    d.aws("s3:GetObject", {"bucketName": d.usual("bucket", a), "key": d.fresh("objkey")})
                    for _ in range(4)
                ]
                d.run(
                    a,
                    as_other([d.aws("s3:ListObjects", {"bucketName": d.usual("bucket", a)}), *keys], ip, wire),
                    aws_only=True,
                )
                d.wait(6, 20)
            d.tell("days", "")
        case _:
            a = d.pick("aws", "storage", "awsread")
            steps = [
                d.aws("s3:GetObject", {"bucketName": d.usual("bucket", a), "key": d.fresh("objkey")}) for _ in range(3)
            ]
            d.run(a, as_other(steps, d.new_ip(), a.user_agent), gap=(200, 2400), aws_only=True)
            d.tell("hours", "")


def look_alike(d: Draft) -> None:
    match d.choose("moved_to_another_network", "partner_changed_address", "new_client"):
        case "moved_to_another_network":
            a = d.pick("aws", "ssm", "storage", "awsread")
            ip, wire = f"10.61.{d.rng.randrange(200)}.17", a.user_agent.replace("1.4", "1.5").replace("2.3", "2.4")
            for _ in range(3):
                steps = [
                    d.aws("sts:GetCallerIdentity"),
                    d.aws("s3:GetObject", {"bucketName": d.usual("bucket", a), "key": d.fresh("objkey")}),
                    d.aws("ec2:DescribeInstances", {"maxResults": 200}),
                ]
                d.run(a, as_other(steps, ip, wire), aws_only=True)
                d.wait(3, 12)
            d.tell("days", "the agent moved to another subnet and goes on as before")
        case "partner_changed_address":
            a, ip = d.pick("longkey"), d.new_ip()
            for _ in range(4):
                steps = [
                    d.aws("s3:ListObjects", {"bucketName": d.usual("bucket", a), "prefix": "in/"}),
                    d.aws("s3:PutObject", {"bucketName": d.usual("bucket", a), "key": d.fresh("objkey")}),
                ]
                d.run(a, as_other(steps, ip, a.user_agent), aws_only=True)
                d.wait(4, 14)
            d.tell("days", "the partner's own upload, to its own prefix, from its new line for good")
        case _:
            a = d.pick("aws", "storage", "awsread")
            steps = [
                d.aws("s3:GetObject", {"bucketName": d.usual("bucket", a), "key": d.fresh("objkey")}) for _ in range(3)
            ]
            d.run(a, as_other(steps, a.ip, a.user_agent + " cfg/retry-mode#adaptive"), gap=(100, 900), aws_only=True)
            d.tell("hours", "the same place, a newer client")
