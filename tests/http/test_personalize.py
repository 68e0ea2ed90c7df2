"""Amazon Personalize's own client, boto3 as it comes, with nothing changed but the address and the key."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.http.served import Server, installed, tactful

ARN = "arn:aws:personalize:eu-west-1:123456789012:"


def client(server: Server, what: str, key: str = "moved") -> Any:
    """The client as its documentation makes it. key: one of the server's, or a key itself."""
    return boto3.client(
        what, endpoint_url=f"http://127.0.0.1:{server.port}", region_name="eu-west-1", aws_secret_access_key="any",
        aws_access_key_id=server.keys.get(key, key), config=Config(retries={"max_attempts": 1}),
    )  # fmt: skip


@pytest.fixture
def events(moved: Server) -> Any:
    """personalize-events."""
    return client(moved, "personalize-events")


@pytest.fixture
def runtime(moved: Server) -> Any:
    """personalize-runtime."""
    return client(moved, "personalize-runtime")


def event(item: str | None = "walden", what: str = "Watch", **more: Any) -> dict[str, Any]:
    """One event of now."""
    one = {"eventType": what, "sentAt": datetime.now(UTC), **more}
    return one if item is None else {**one, "itemId": item}


def put(events: Any, user: str | None, *what: dict[str, Any], session: str = "s-1") -> dict[str, int]:
    """Send events; the account, by name."""
    more = {} if user is None else {"userId": user}
    reply = events.put_events(trackingId="t-1", sessionId=session, eventList=list(what), **more)
    headers = reply["ResponseMetadata"]["HTTPHeaders"]
    return {name: int(count) for name, count in (pair.split("=") for pair in headers["x-tactful-account"].split(", "))}


def account(**counts: int) -> dict[str, int]:
    return {"sent": 0, "stored": 0, "duplicate": 0, "quarantined": 0, "refused": 0, **counts}


def recommended(runtime: Any, user: str | None = None, campaign: str = "home", **more: Any) -> list[str]:
    """Recommended ids."""
    who = {} if user is None else {"userId": user}
    answer = runtime.get_recommendations(campaignArn=f"{ARN}campaign/{campaign}", **who, **more)
    return [item["itemId"] for item in answer["itemList"]]


# ------------------------------------------------------------------------------------------------------------ events in


def test_what_somebody_did_counts_in_the_very_next_recommendation(moved: Server, events: Any, runtime: Any) -> None:
    stranger = recommended(runtime, "ada")
    assert stranger
    assert put(events, "ada", event("walden"), event("emma", "Purchase")) == account(sent=2, stored=2)
    answer = runtime.get_recommendations(campaignArn=f"{ARN}campaign/home", userId="ada", numResults=10)
    items = [item["itemId"] for item in answer["itemList"]]
    assert len(items) == 10
    assert items != stranger[:10]
    assert "emma" not in items  # bought
    assert all(item["reason"][0].endswith(".") for item in answer["itemList"])
    receipt = moved.get(f"/v1/receipts/{answer['recommendationId']}", moved.as_server()).json
    assert receipt["receipt"]["person"] == "ada"
    assert receipt["receipt"]["personal"] is True


def test_the_operators_word_stands_in_the_proof_of_consent(moved: Server, events: Any) -> None:
    put(events, "grace", event())
    consent = moved.get("/v1/consent/grace", moved.as_server()).json
    assert (consent["dial"], consent["granted"], consent["version"]) == ("remember", ["learn", "personalise"], 1)
    put(events, "grace", event())
    assert moved.get("/v1/consent/grace", moved.as_server()).json["version"] == 1


def test_without_the_operators_word_nobody_is_remembered(moved: Server, runtime: Any) -> None:
    unvouched = client(moved, "personalize-events", "secret")
    assert put(unvouched, "quiet", event(), event("emma")) == account(sent=2, refused=2)
    assert recommended(runtime, "quiet") == recommended(runtime, "never-heard-of") == recommended(runtime)


def test_who_turned_the_dial_off_is_not_overruled(moved: Server, events: Any, runtime: Any) -> None:
    moved.allow("private", "off", personalise=False)
    assert put(events, "private", event(), event("emma", "Purchase")) == account(sent=2, refused=2)
    assert moved.get("/v1/consent/private", moved.as_server()).json["dial"] == "off"
    assert recommended(runtime, "private") == recommended(runtime, "never-heard-of")


def test_withdrawal_counts_from_the_next_recommendation(moved: Server, events: Any, runtime: Any) -> None:
    put(events, "leaver", event("walden"), event("emma", "Purchase"))
    assert recommended(runtime, "leaver") != recommended(runtime)
    moved.allow("leaver", "off", personalise=False)
    assert recommended(runtime, "leaver") == recommended(runtime)


def test_one_bad_event_costs_itself_only(events: Any) -> None:
    sent = (
        event("walden"),
        event(None),  # no item
        event("emma", properties="{ broken"),
        event("emma", properties="[1, 2]"),
        event("emma", "Teleport"),  # means nothing here
        event("emma", sentAt=datetime(1975, 1, 1, tzinfo=UTC)),
        event("emma", sentAt=datetime.now(UTC) + timedelta(days=30)),
        event("emma", "Click"),
    )
    assert put(events, "mixed", *sent) == account(sent=8, stored=2, quarantined=5, refused=1)


def test_the_account_in_the_body_says_what_was_wrong_where_and_what_to_do(moved: Server) -> None:
    body = {"trackingId": "t", "sessionId": "s", "userId": "reader", "eventList": [{"eventType": "Watch", "sentAt": 1}, {"eventType": "Watch"}, {"eventType": "Teleport", "sentAt": 1_790_000_000}, 7]}  # fmt: skip
    headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={moved.keys['moved']}/20261121/eu-west-1/personalize/aws4_request, SignedHeaders=host, Signature=00"}  # fmt: skip
    told = moved.post("/events", body, headers).json
    assert [(one["event"], one.get("field"), one["what"]) for one in told["problems"][:3]] == [
        ("eventList[0]", "itemId", "quarantined"),
        ("eventList[1]", "sentAt", "quarantined"),
        ("eventList[3]", "body", "quarantined"),
    ]
    assert told["unmapped"] == {"Teleport": 1}


def test_names_of_events_are_the_usual_ones_ours_and_the_installations_own(moved: Server, events: Any) -> None:
    names = ("watch", "VIEW", "click", "Purchase", "AddToCart", "add_to_cart", "Rating", "Like", "finished", "Download")
    assert put(events, "speaker", *(event("walden", name) for name in names)) == account(sent=10, stored=10)


def test_the_same_event_id_is_stored_once_and_events_without_one_each_time(events: Any) -> None:
    assert put(events, "twice", event(eventId="e-1"), event(eventId="e-1")) == account(sent=2, stored=1, duplicate=1)
    moment = datetime.now(UTC)
    for _ in range(2):  # two calls, not one call tried again
        assert put(events, "twice", event(sentAt=moment), event(sentAt=moment)) == account(sent=2, stored=2)


def test_a_call_that_is_tried_again_is_counted_once(moved: Server) -> None:
    body = {"trackingId": "t", "sessionId": "s", "userId": "again", "eventList": [{"eventType": "View", "itemId": "emma", "sentAt": 1_790_000_000}]}  # fmt: skip
    for more, second in (({"amz-sdk-invocation-id": "call-1"}, 1), ({}, 1), ({"amz-sdk-invocation-id": "call-2"}, 0)):
        headers = {"Authorization": f"Bearer {moved.keys['moved']}", **more}
        assert moved.post("/events", body, headers).json["duplicate"] == 0
        if second:
            assert moved.post("/events", body, headers).json["duplicate"] == second


def test_what_was_shown_beside_it_is_kept_as_shown(moved: Server, events: Any) -> None:
    assert put(events, "seen", event("walden", "Click", impression=["walden", "emma", "we"], recommendationId="r-1")) == account(sent=2, stored=2)  # fmt: skip


def test_a_rating_and_properties_come_along(moved: Server, events: Any) -> None:
    rated = event("walden", "Rating", eventValue=4.5, properties=json.dumps({"device": "tv"}))
    in_properties = event(None, "View", properties=json.dumps({"itemId": "emma", "eventValue": 2}))
    assert put(events, "rater", rated, in_properties) == account(sent=2, stored=2)


def test_a_session_of_nobody_by_name_is_a_device_that_agreed_to_nothing_elsewhere(moved: Server, events: Any, runtime: Any) -> None:  # fmt: skip
    assert put(events, None, event(), session="visit-1") == account(sent=1, refused=1)
    moved.allow("anon:visit-2")
    assert put(events, None, event("walden"), event("emma", "Purchase"), session="visit-2") == account(sent=2, stored=2)
    assert recommended(runtime, "visit-2") != recommended(runtime, "visit-1") == recommended(runtime)


# -------------------------------------------------------------------------------------------------------- items and users


def test_items_come_in_and_are_found_by_their_metadata(moved: Server, events: Any, runtime: Any) -> None:
    properties = {"title": "A new book", "genres": "Utopia|Satire", "price": 12.5, "creationTimestamp": 1_700_000_000}
    arn = f"{ARN}dataset/books/ITEMS"
    events.put_items(datasetArn=arn, items=[{"itemId": "new-1", "properties": json.dumps(properties)}, {"itemId": "new-2"}])  # fmt: skip
    answer = runtime.get_personalized_ranking(
        campaignArn=f"{ARN}campaign/home", userId="ada", inputList=["new-1", "new-2"],
        metadataColumns={"ITEMS": ["GENRES", "PRICE", "TITLE", "CREATION_TIMESTAMP", "NOTHING"]},
    )  # fmt: skip
    (new,) = [item for item in answer["personalizedRanking"] if item["itemId"] == "new-1"]
    assert new["metadata"] == {"GENRES": "Utopia|Satire", "PRICE": "12.5", "TITLE": "A new book", "CREATION_TIMESTAMP": "1700000000"}  # fmt: skip


def test_an_item_that_is_hidden_stays_hidden_when_it_is_put_again(moved: Server, events: Any, runtime: Any) -> None:
    moved.post("/v1/items", {"items": [{"id": "gone", "title": "Gone", "available": False, "audience": "adults"}]})
    arn = f"{ARN}dataset/books/ITEMS"
    events.put_items(datasetArn=arn, items=[{"itemId": "gone", "properties": json.dumps({"title": "Still gone"})}])
    ranked = {"campaignArn": f"{ARN}campaign/home", "userId": "ada", "inputList": ["gone", "walden"]}
    assert [item["itemId"] for item in runtime.get_personalized_ranking(**ranked)["personalizedRanking"]] == ["walden"]
    events.put_items(datasetArn=arn, items=[{"itemId": "gone", "properties": json.dumps({"available": True})}])
    assert len(runtime.get_personalized_ranking(**ranked)["personalizedRanking"]) == 2


def test_one_wrong_item_is_named_and_none_is_put(events: Any, runtime: Any) -> None:
    arn = f"{ARN}dataset/books/ITEMS"
    with pytest.raises(events.exceptions.InvalidInputException, match=r"items\[1\]\.properties"):
        events.put_items(datasetArn=arn, items=[{"itemId": "half"}, {"itemId": "other", "properties": "[]"}])
    ranked = {"campaignArn": f"{ARN}campaign/home", "userId": "ada", "inputList": ["half"]}
    assert runtime.get_personalized_ranking(**ranked)["personalizedRanking"] == []


def test_users_bring_the_traits_that_the_charter_declares(moved: Server, events: Any) -> None:
    arn = f"{ARN}dataset/books/USERS"
    users = [{"userId": "told", "properties": json.dumps({"interests": "utopia|satire", "shoeSize": 44})}, {"userId": "told-2", "properties": "{ broken"}]  # fmt: skip
    reply = events.put_users(datasetArn=arn, users=users)
    assert "sent=2, stored=1, duplicate=0, quarantined=1" in reply["ResponseMetadata"]["HTTPHeaders"]["x-tactful-account"]  # fmt: skip


# ------------------------------------------------------------------------------------------------------- recommendations


def test_related_items_go_by_the_item(runtime: Any) -> None:
    related = recommended(runtime, campaign="related", itemId="walden", numResults=5)
    assert len(related) == 5
    assert related != recommended(runtime, campaign="related", itemId="emma", numResults=5)
    by_recommender = runtime.get_recommendations(recommenderArn=f"{ARN}recommender/related", itemId="walden", numResults=5)  # fmt: skip
    assert [item["itemId"] for item in by_recommender["itemList"]] == related


def test_a_campaign_is_the_placement_that_the_settings_say(runtime: Any) -> None:
    assert recommended(runtime, campaign="old-front-page") == recommended(runtime, campaign="home")
    assert len(recommended(runtime, campaign="home")) == 25


def test_candidates_come_back_in_the_persons_order(events: Any, runtime: Any) -> None:
    candidates = recommended(runtime, "ranker")[:10]
    put(events, "ranker", event("walden"), event("emma"))
    answer = runtime.get_personalized_ranking(
        campaignArn=f"{ARN}campaign/home", userId="ranker", inputList=[*candidates, "no-such-book"]
    )
    ranked = [item["itemId"] for item in answer["personalizedRanking"]]
    assert sorted(ranked) == sorted(candidates)
    assert ranked != candidates
    scores = [item["score"] for item in answer["personalizedRanking"]]
    assert scores == sorted(scores, reverse=True)


def test_a_filter_is_kept_to_or_refused_and_never_passed_over(runtime: Any) -> None:
    kept = f"{ARN}filter/not-yet-read"
    assert recommended(runtime, "ada", filterArn=kept)
    refused: tuple[tuple[dict[str, Any], str], ...] = (
        ({"filterArn": f"{ARN}filter/no-horror"}, "filterArn: there is no filter 'no-horror' here"),
        ({"filterArn": kept, "campaign": "popular"}, "the placement 'popular' has no guard 'already_have'"),
        ({"filterArn": kept, "filterValues": {"GENRE": '"Horror"'}}, "takes none with a request"),
        ({"filterValues": {"GENRE": '"Horror"'}}, "no filterArn that they belong to"),
        ({"promotions": [{"name": "p", "percentPromotedItems": 50}]}, "promotions: there are none here"),
        ({"numResults": 500}, "numResults: 500 is too many"),
        ({"metadataColumns": {"USERS": ["AGE"]}}, "'USERS' has none here"),
    )
    for options, words in refused:
        with pytest.raises(runtime.exceptions.InvalidInputException) as raised:
            recommended(runtime, "ada", **options)
        assert words in str(raised.value)


# --------------------------------------------------------------------------------------------------- errors, keys, rights


def test_errors_are_the_clients_own_exceptions(moved: Server, events: Any, runtime: Any) -> None:
    with pytest.raises(runtime.exceptions.ResourceNotFoundException, match="No placement is called 'nowhere'"):
        recommended(runtime, campaign="nowhere")
    with pytest.raises(events.exceptions.InvalidInputException, match="eventList"):
        put(events, "many", *[event()] * 11)
    with pytest.raises(runtime.exceptions.InvalidInputException, match="campaignArn"):
        runtime.get_recommendations(campaignArn="not-an-arn", userId="ada")
    with pytest.raises(runtime.exceptions.InvalidInputException, match="neither it nor recommenderArn"):
        runtime.get_recommendations(userId="ada")
    with pytest.raises(events.exceptions.InvalidInputException, match="no actions here"):
        events.put_actions(datasetArn=f"{ARN}dataset/x/ACTIONS", actions=[{"actionId": "a"}])
    with pytest.raises(runtime.exceptions.InvalidInputException, match="no actions here"):
        runtime.get_action_recommendations(campaignArn=f"{ARN}campaign/x", userId="ada")


def test_a_wrong_key_or_scope_is_said_in_the_clients_words(moved: Server) -> None:
    with pytest.raises(ClientError, match="aws_access_key_id") as raised:
        put(client(moved, "personalize-events", "AKIAIOSFODNN7EXAMPLE"), "x", event())
    assert raised.value.response["Error"]["Code"] == "UnrecognizedClientException"
    with pytest.raises(ClientError, match="lacks the scope 'items'") as raised:
        client(moved, "personalize-events", "public").put_items(datasetArn=f"{ARN}dataset/x/ITEMS", items=[{"itemId": "i"}])  # fmt: skip
    assert raised.value.response["Error"]["Code"] == "AccessDeniedException"


def test_a_public_key_reaches_nobody_by_name(moved: Server, events: Any, runtime: Any) -> None:
    put(events, "victim", event("walden"), event("emma", "Purchase"))
    browser = client(moved, "personalize-runtime", "public")
    assert recommended(browser, "victim") == recommended(runtime)
    assert put(client(moved, "personalize-events", "public"), "victim", event("we")) == account(sent=1, refused=1)


def test_forgetting_reaches_what_came_this_way(moved: Server, events: Any, runtime: Any) -> None:
    put(events, "gone-soon", event("walden"), event("emma", "Purchase"), event(None))
    assert recommended(runtime, "gone-soon") != recommended(runtime)
    assert moved.call("DELETE", "/v1/people/gone-soon").status == 204
    assert recommended(runtime, "gone-soon") == recommended(runtime)
    assert moved.get("/v1/consent/gone-soon", moved.as_server()).json["version"] == 0


def test_a_wrong_word_in_the_settings_is_named(tmp_path: Path) -> None:
    installed(tmp_path)
    with (tmp_path / "tactful.toml").open("a", encoding="utf-8") as settings:
        settings.write('[personalize.events]\nWatch = "watched"\n')
    done = tactful(tmp_path, "train", check=False)
    assert "personalize.events.Watch: 'watched' is no verb. Use one of shown" in done.stderr
