"""SAM as the twin reads it: intrinsics, Globals, conditions, every kind of source; refusals name the resource."""

from __future__ import annotations

import textwrap
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local.cloud.declarations import (
    Authorizer,
    BusSource,
    Cors,
    QueueSource,
    Route,
    StartingPosition,
    StreamSource,
    Throttle,
    Timer,
    TimerOrigin,
)
from local.cloud.schedule import Rate
from local.cloud.template import Template, TemplateError

FULL = """
    Parameters: {Stage: {Type: String}, Zones: {Type: CommaDelimitedList, Default: "a,b"}}
    Mappings: {Sizes: {twin: {Memory: 256}}}
    Conditions:
      IsLocal: !Equals [!Ref Stage, twin]
      IsCloud: !Not [!Condition IsLocal]
      Both: !And [!Condition IsLocal, !Condition IsCloud]
    Globals:
      Function:
        Timeout: 10
        Environment: {Variables: {STAGE: !Ref Stage, LEVEL: INFO}}
    Resources:
      Api:
        Type: AWS::Serverless::HttpApi
        Properties:
          DefaultRouteSettings: {ThrottlingBurstLimit: 20, ThrottlingRateLimit: 10}
          CorsConfiguration: {AllowOrigins: ["https://a"], AllowMethods: [GET], MaxAge: 60}
          Auth:
            DefaultAuthorizer: Key
            Authorizers:
              Key:
                FunctionArn: !GetAtt Fn.Arn
                AuthorizerPayloadFormatVersion: "2.0"
                EnableSimpleResponses: true
                Identity: {Headers: [Authorization], ReauthorizeEvery: 30}
      Fn:
        Type: AWS::Serverless::Function
        Properties:
          Handler: app.handler
          MemorySize: !FindInMap [Sizes, !Ref Stage, Memory]
          Environment:
            Variables:
              LEVEL: DEBUG
              URL: !Join ["/", ["https:", "", !Select [1, !Split [",", "x,y"]]]]
              WHERE: !If [IsLocal, here, there]
              NAME: !Sub ["${A}-${Stage}-${!Literal}", {A: first}]
              ZONE: !Select [1, !Ref Zones]
              BASE: {"Fn::Base64": "x"}
          Events:
            Get: {Type: HttpApi, Properties: {Method: get, Path: "/x/{id}"}}
            Open:
              Type: HttpApi
              Properties:
                Method: ANY
                Path: /open
                Auth: {Authorizer: NONE}
                RouteSettings: {ThrottlingRateLimit: 1}
            Rest: {Type: HttpApi, Properties: {Auth: {Authorizer: NONE}}}
            Queue:
              Type: SQS
              Properties:
                Queue: !GetAtt Work.Arn
                BatchSize: 20
                MaximumBatchingWindowInSeconds: 2
                FunctionResponseTypes: [ReportBatchItemFailures]
                ScalingConfig: {MaximumConcurrency: 3}
            Off: {Type: SQS, Properties: {Queue: !GetAtt Work.Arn, Enabled: false}}
            Stream:
              Type: DynamoDB
              Properties:
                Stream: !GetAtt Table.StreamArn
                StartingPosition: TRIM_HORIZON
                BisectBatchOnFunctionError: true
                MaximumRetryAttempts: 4
                MaximumRecordAgeInSeconds: -1
                DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}}
                FilterCriteria: {Filters: [{Pattern: '{"eventName":["INSERT"]}'}]}
            Tick: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 minute), Input: '{"a":1}'}}
            Old: {Type: Schedule, Properties: {Schedule: rate(1 hour)}}
            Idle: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 minute), State: DISABLED}}
            Heard:
              Type: EventBridgeRule
              Properties: {EventBusName: !Ref Bus, Pattern: {source: [sofia]}, InputPath: $.detail}
      Table:
        Type: AWS::DynamoDB::Table
        Properties:
          BillingMode: PAY_PER_REQUEST
          AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
          KeySchema: [{AttributeName: pk, KeyType: HASH}]
          StreamSpecification: {StreamViewType: KEYS_ONLY}
          TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}
      Work:
        Type: AWS::SQS::Queue
        Properties:
          VisibilityTimeout: !If [IsLocal, 5, 60]
          DelaySeconds: 1
          RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
      Dead: {Type: AWS::SQS::Queue}
      Bus: {Type: AWS::Events::EventBus, Properties: {Name: !Sub "bus-${Stage}"}}
      Nightly:
        Type: AWS::Events::Rule
        Properties:
          ScheduleExpression: cron(0 3 * * ? *)
          Targets: [{Id: work, Arn: !GetAtt Work.Arn, Input: "go"}]
      Window:
        Type: AWS::Scheduler::Schedule
        Properties:
          ScheduleExpression: cron(0 9 ? * MON-FRI *)
          ScheduleExpressionTimezone: Europe/Madrid
          FlexibleTimeWindow: {Mode: "OFF"}
          Target: {Arn: !GetAtt Fn.Arn, RoleArn: x, Input: "{}"}
      Role: {Type: AWS::IAM::Role, Condition: IsLocal, Properties: {}}
      Cluster: {Type: AWS::Kinesis::Stream, Condition: IsCloud}
      Never: {Type: AWS::Kinesis::Stream, Condition: Both}
"""


def read(tmp_path: Path, text: str, **parameters: str) -> Template:
    path = tmp_path / "template.yaml"
    path.write_text(textwrap.dedent(text))
    return Template(path, parameters)


def function(events: str = "", properties: str = "Handler: a.b") -> str:
    return (
        f"Resources: {{F: {{Type: AWS::Serverless::Function, "
        f"Properties: {{{properties}, Events: {{E: {events or '{}'}}}}}}}}}"
    )


@pytest.fixture
def full(tmp_path: Path) -> Template:
    return read(tmp_path, FULL, Stage="twin")


def sources(template: Template, kind: type) -> list[Any]:
    return [source for source in template.events() if isinstance(source, kind)]


def test_functions_take_what_globals_say_and_their_own_goes_first(full: Template) -> None:
    found = full.functions()["Fn"]
    assert (found.timeout_s, found.memory_mb) == (10.0, 256)
    assert found.environment == {
        "STAGE": "twin",
        "LEVEL": "DEBUG",
        "URL": "https://y",
        "WHERE": "here",
        "NAME": "first-twin-${Literal}",
        "ZONE": "b",
        "BASE": "eA==",
    }


def test_overrides_replace_what_the_template_says_and_what_it_could_not_say(tmp_path: Path) -> None:
    text = function(
        "{Type: Schedule, Properties: {Schedule: rate(1 day)}}",
        "Handler: a.b, Environment: {Variables: {HOST: !GetAtt Cluster.Endpoint, STAGE: x}}",
    )
    path = tmp_path / "template.yaml"
    path.write_text(text)
    with pytest.raises(TemplateError, match="F, environment variable HOST: GetAtt Cluster"):
        Template(path, {}).functions()
    template = Template(path, {}, {"HOST": "localhost", "CLOCK": "file"})
    expected = {"HOST": "localhost", "CLOCK": "file", "STAGE": "x"}
    assert template.functions()["F"].environment == expected


def test_conditions_drop_resources_and_the_rest_is_named(full: Template) -> None:
    assert full.left_out == ("Role",)
    assert "Cluster" not in full.resource_names


def test_routes(full: Template) -> None:
    assert sources(full, Route) == [
        Route("GET", "/x/{id}", "Fn", "Key"),
        Route("ANY", "/open", "Fn", None, Throttle(1.0, 1)),
        Route("ANY", "$default", "Fn", None),
    ]
    assert [route.key for route in sources(full, Route)] == [
        "GET /x/{id}",
        "ANY /open",
        "$default",
    ]
    assert full.authorizer() == {"Key": Authorizer("Key", "Fn", ("authorization",), (), 30.0)}
    stage = full.stage()
    assert stage.throttle == Throttle(10.0, 20)
    assert stage.cors == Cors(("https://a",), ("GET",), max_age_s=60)


def test_queues_and_their_source(full: Template) -> None:
    assert sources(full, QueueSource) == [
        QueueSource("Fn", "Work", 20, 2.0, None, reports_failures=True, concurrency=3)
    ]
    work = next(queue for queue in full.queues() if queue.logical_id == "Work")
    assert work.attributes == {"VisibilityTimeout": "5", "DelaySeconds": "1"}
    assert (work.dead_letters, work.max_receives) == ("Dead", 3)


def test_the_stream(full: Template) -> None:
    (stream,) = sources(full, StreamSource)
    assert (stream.table, stream.starting_position) == ("Table", StartingPosition.TRIM_HORIZON)
    assert (stream.bisects, stream.max_retries, stream.max_age_s) == (True, 4, None)
    assert stream.failure_queue == "Dead"
    assert stream.filters is not None
    assert stream.filters.passes({"eventName": "INSERT"})
    (table,) = full.tables()
    assert table.ttl_attribute == "ttl"
    assert table.definition["StreamSpecification"]["StreamEnabled"] is True


def test_schedules_from_everywhere(full: Template) -> None:
    found = {timer.name: timer for timer in sources(full, Timer)}
    assert set(found) == {"FnTick", "FnOld", "Nightly", "Window"}
    assert found["FnTick"].schedule == Rate(timedelta(minutes=1))
    assert (found["FnTick"].origin, found["FnOld"].origin) == (
        TimerOrigin.SCHEDULER,
        TimerOrigin.RULE,
    )
    assert found["FnTick"].payload == '{"a":1}'
    assert (found["Nightly"].queue, found["Nightly"].function) == ("Work", None)
    assert found["Window"].function == "Fn"


def test_a_rule_for_a_function_gets_a_queue_between(full: Template) -> None:
    assert sources(full, BusSource) == [BusSource("Fn", "FnHeard", "FnHeard-function")]
    (rule,) = full.rules()
    assert (rule.bus, rule.pattern) == ("bus-twin", '{"source": ["sofia"]}')
    assert rule.targets[0].shaping == {"InputPath": "$.detail"}
    assert "FnHeard-function" in {queue.logical_id for queue in full.queues()}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("Parameters: {P: {Type: String}}\nResources: {}", "parameter P"),
        ("Resources: {R: {Type: AWS::Kinesis::Stream}}", "R: the resource type AWS::Kinesis"),
        ("Resources: {R: {Type: AWS::IAM::Role, Condition: C}}", "R: the condition C"),
        (function("{Type: Kinesis, Properties: {}}"), "F: the event type Kinesis"),
        (function("{Type: Schedule, Properties: {Schedule: daily}}"), "F.*E: 'daily'"),
        (function("{Type: SQS, Properties: {Queue: 'arn:x'}}"), "F.*E: point at a resource"),
        (function("{Type: SQS, Properties: {Queue: !GetAtt Q.Arn, Speed: 1}}"), "F.*Speed"),
        (
            function("{Type: SQS, Properties: {Queue: !Cidr [a, b, c]}}"),
            "F.*E: point at a resource",
        ),
        (
            function(
                "{Type: DynamoDB, Properties: {Stream: !GetAtt T.StreamArn, TumblingWindowInSeconds: 1}}"
            ),
            "F.*TumblingWindow",
        ),
        (
            function("{Type: HttpApi, Properties: {Path: /, PayloadFormatVersion: '1.0'}}"),
            "F.*payload format",
        ),
        (
            function("{Type: EventBridgeRule, Properties: {Pattern: {a: [b]}, Sql: 1}}"),
            "FE: Sql",
        ),
    ],
)
def test_what_is_not_understood_is_refused_by_name(tmp_path: Path, text: str, error: str) -> None:
    with pytest.raises(TemplateError, match=error):
        read(tmp_path, text).events()


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("!ImportValue other", "Fn::ImportValue is not understood"),
        ("!GetAZs x", "Fn::GetAZs is not understood"),
        ("!Ref Nobody", "Ref Nobody is not known"),
        ("!Sub '${Nobody.Arn}'", "GetAtt Nobody.Arn is not known"),
        ("!Select [3, [a]]", "no element 3"),
        ("!FindInMap [A, b, c]", "finds nothing"),
        ("!If [C, a, b]", "condition C is not declared"),
        ("!Join [a]", "Fn::Join takes a list of 2"),
    ],
)
def test_an_intrinsic_that_is_not_understood(tmp_path: Path, value: str, error: str) -> None:
    text = function("", f"Handler: a.b, Environment: {{Variables: {{V: {value}}}}}").replace(
        ", Events: {E: {}}", ""
    )
    with pytest.raises(TemplateError, match=f"F, environment variable V: .*{error}"):
        read(tmp_path, text).functions()


def test_nothing_is_left_out_of_the_value(tmp_path: Path) -> None:
    template = read(tmp_path, "Conditions: {Never: !Equals [a, b]}\nResources: {}")
    value = {
        "a": {"Fn::If": ["Never", 1, {"Ref": "AWS::NoValue"}]},
        "b": [{"Ref": "AWS::NoValue"}, 2],
    }
    assert template.resolve(value) == {"b": [2]}


@pytest.mark.parametrize(
    ("auth", "error"),
    [
        ("{DefaultAuthorizer: A}", "default authorizer A is not declared"),
        ("{Authorizers: {A: {JwtConfiguration: {}}}}", "authorizer A: only Lambda"),
        ("{Authorizers: {A: {FunctionArn: !GetAtt F.Arn}}}", "2.0 is needed"),
        (
            "{Authorizers: {A: {FunctionArn: !GetAtt F.Arn, AuthorizerPayloadFormatVersion: '2.0'}}}",
            "EnableSimpleResponses",
        ),
    ],
)
def test_authorizers_that_the_twin_does_not_know(tmp_path: Path, auth: str, error: str) -> None:
    text = f"Resources: {{A: {{Type: AWS::Serverless::HttpApi, Properties: {{Auth: {auth}}}}}}}"
    with pytest.raises(TemplateError, match=error):
        read(tmp_path, text).authorizer()
