"""What a player's country and id can be, and what a segment may ask of a player."""

import unicodedata

REFERENCE_LENGTH_MAX = 64

_COUNTRY_CODES = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO
    BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ
    DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP
    GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG
    KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML
    MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE
    PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL
    SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM
    US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
#: ISO 3166-1 alpha-2, as officially assigned.
COUNTRIES = frozenset(_COUNTRY_CODES.split())

#: What a segment's rules may bound with ``min_`` and ``max_``, both inclusive.
BOUNDED_FIELDS = (
    "kyc_level",
    "vip_level",
    "total_deposit_usd",
    "total_wager_usd",
    "deposit_count",
)


def canonical_reference(text: str) -> str:
    """Return ``text`` in the form in which ids are stored (NFC), so that equal ids are one."""
    return unicodedata.normalize("NFC", text)


def can_be_reference(text: str) -> bool:
    """Tell whether ``text`` can be the id of a player; what cannot need not be looked for."""
    return 1 <= len(text) <= REFERENCE_LENGTH_MAX and text.isprintable()
