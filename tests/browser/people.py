"""Who works in the back office of the world in which the tests in a browser play."""

from dataclasses import dataclass

PASSWORD = "a-long-word-for-tests"
#: So many players that nobody is too quick to watch a campaign.
AUDIENCE = 150
AUDIENCE_TAG = "browser"
SEGMENT = "Everybody invited"


@dataclass(frozen=True)
class Person:
    """A member of staff: their login, and the roles they have; none: a superuser."""

    login: str
    roles: tuple[str, ...] = ()
    password: str = PASSWORD


#: The demo's own account.
DEMO = Person("demo", password="lucky-star-demo")
#: May ask for anything of jackpots and approve it: only the rule of the second person stops them.
FIRST = Person("ann-first", roles=("Jackpot manager", "Finance approver"))
SECOND = Person("ben-second", roles=("Finance approver",))
#: Starts campaigns, and cancels what players hold.
CRM = Person("eve-crm", roles=("CRM",))
#: Sets up a second factor, so that a password is not enough for anybody else's test.
CAREFUL = Person("cat-careful")
#: Signs out.
LEAVING = Person("dan-leaving")
#: Signs in where a second factor is required, and has none.
STRICT = Person("fay-strict", roles=("CRM",))
HIRED = (FIRST, SECOND, CRM, CAREFUL, LEAVING, STRICT)
