/* Keys for tests, and tokens by another library (PyJWT), so that ours is not held against itself only. */
#ifndef TESTS_HTTP_JWT_KEYS_H
#define TESTS_HTTP_JWT_KEYS_H

#define SECRET "a secret of thirty-two bytes, ok"

#define RSA_PRIVATE                                                                                                    \
    "-----BEGIN PRIVATE KEY-----\n"                                                                                    \
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDaFW2Df5CbPqh/\n"                                               \
    "TlYkRjC1qOXPfAHyST6+3C/zm0EDvFGiR/3xcB/vh9lY+ZfWeS11hmopXwUidsG4\n"                                               \
    "3+oBN6OGxIlfMwI6kbQ0cfgnUlED7Wt9T3kDUi2rSJnc2BcSxWoNVwH0KHt11/Ro\n"                                               \
    "6iPVdVyWvWDtwOFJ+T/bEelAC0QK+d3pJS4AT1bGCDNKsKOLJHDJBMC1cjC+x8Xh\n"                                               \
    "+rgONgXH5pcexA2aheALZSwTEkp9Zfw5Qd33572FGYlmAneHwvFe2QMduPZTgJ0F\n"                                               \
    "JBlYPxDzthVGR/yBLvkHFfmAYFTjcY04r8ZXR39LWwWnQu/AyIZNih6QFnat9KRe\n"                                               \
    "fUz8j3vpAgMBAAECggEAAcfK6cZryvIga5Tsu+5xfrlzUiGNo2yEemUPWMvXXqGq\n"                                               \
    "RvOTbCANQ2vzpFrRTNhFmci2AlnSMpea+buNhnoE2uQha4ZpfkqlDQhg+9u+mAio\n"                                               \
    "85YWGrJtd3ntwuuUh+qQl8Smwu6UZ3R7fGKD4b3uxhR1Fs660NszIDb2WzeiJYg7\n"                                               \
    "p4t7nyaHeEqI9tp5ZXgN0Jq1gS1Tc0n0+xp0qwhJCzOkHYzcvpB1m7xPcCXePvrW\n"                                               \
    "QZADGwJ4Z5Wxc5H53F1Bx2Hoz2cVuafBqQOkxOp02HmT0id6wGlLETT0vx8Njt++\n"                                               \
    "NOTyOWoSUawhFvoTqHdGMRL+Dwm4qkHfCJAH3eLjyQKBgQDwBo3U63VyXHt6/a+J\n"                                               \
    "4C1FZLlMFQE52pKZWEPG24WlFyqdn7/7yQ8RZce28x15luM3wMO0yWdDEH9jWl6i\n"                                               \
    "6O3HHBa/2TkAE+W2iHW66Hdm/LUENsXOIIx929XyGzetIuUu0onhmWKq0JJPc701\n"                                               \
    "8TTVWzpV8veBKtLFOC/eKekoHQKBgQDomQmqKSg8y+/bdL8KKqyGF/11Ep0/lbJs\n"                                               \
    "mf2wsrNMjr15yQO2DbJQrJHpvOBhOuX1Jeqa1AOeVe8D4h0RM2eX9UQurL8Z+Y/2\n"                                               \
    "UiBeYu1sqtWweVg1WIBH/rhXZGKB0H9/pt0AYquQSmAKutkWhoNZFyb8QGd1OpWK\n"                                               \
    "6AcnfAMRPQKBgQDnFthMy5lazpGP+1ibHPtZGT2Rc5OnmLmV67XtagLEzIYaFejn\n"                                               \
    "yE66iEx85ppVKyF91xhVIadKmUKcbDA7Fpl/HpsEgGXxnjaGw+DdX909iUXaVcWh\n"                                               \
    "zBKXRiU4oF29UqBmsQtQ6bVmEcMbvanImn8sf1Wt1GvYr1sXyB3F/oHdPQKBgDUy\n"                                               \
    "k0hMw3wsNH6f0/WyTuUYZYq6KCbbyQQXsDMSm/l9iA5rkCK6PTdAUNsBrNvwCZop\n"                                               \
    "AuBIb09uXg0oUPeXJzFVEjQOpGJ/dpKis+6Cd8TryZXkGu2QgT52Hpk2R2VjV1XN\n"                                               \
    "xywIZS7KI+8wTuhc+XuN1QfKfx8LuBod+UzpixYNAoGAM16TCheBl5gTQQGYtbuW\n"                                               \
    "413oCuie8dgzqj1zz9xn5WHofmbSSKTcitvZKIzCEtcunK48scpKaW1O/WMS/CKH\n"                                               \
    "CURszPO+S/Swj5nh8xiwt+W5/fnwzqhIoNpDGgN6CsWp5nAXFyI2IXBvmrmf3XG6\n"                                               \
    "qBm3s9OMsloiwZQDSa20E0w=\n"                                                                                       \
    "-----END PRIVATE KEY-----\n"

#define RSA_PUBLIC                                                                                                     \
    "-----BEGIN PUBLIC KEY-----\n"                                                                                     \
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA2hVtg3+Qmz6of05WJEYw\n"                                               \
    "tajlz3wB8kk+vtwv85tBA7xRokf98XAf74fZWPmX1nktdYZqKV8FInbBuN/qATej\n"                                               \
    "hsSJXzMCOpG0NHH4J1JRA+1rfU95A1Itq0iZ3NgXEsVqDVcB9Ch7ddf0aOoj1XVc\n"                                               \
    "lr1g7cDhSfk/2xHpQAtECvnd6SUuAE9WxggzSrCjiyRwyQTAtXIwvsfF4fq4DjYF\n"                                               \
    "x+aXHsQNmoXgC2UsExJKfWX8OUHd9+e9hRmJZgJ3h8LxXtkDHbj2U4CdBSQZWD8Q\n"                                               \
    "87YVRkf8gS75BxX5gGBU43GNOK/GV0d/S1sFp0LvwMiGTYoekBZ2rfSkXn1M/I97\n"                                               \
    "6QIDAQAB\n"                                                                                                       \
    "-----END PUBLIC KEY-----\n"

#define RSA_ENCRYPTED                                                                                                  \
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"                                                                          \
    "MIIFLTBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIqfZNfkow2C0CAggA\n"                                               \
    "MAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAECBBD84AVuxDlMOW2jn6+hmrGCBIIE\n"                                               \
    "0Moo5rl/MKfOu88/hW8mD/vnLx965xFn2YdlMOpRc5OirzrcDDTjFFokb5ihQZ4v\n"                                               \
    "gjPbufTEcQoSf2siuN2xpSezK1Nm35kSGUHJ1LY3nj6piqpo8VyAwXylReEMw9fN\n"                                               \
    "VwiFlncDXIHpfp1tDLJRhUVULcq4Yd9XIWkjeDg0gOtZ6mb1jXh9Y2mhU3sEZ+dO\n"                                               \
    "oQsKshYDd4vGrajglRMz1I8nEGjsR/nHb6BiIO1P/Zvz4NTTd/U7fIIdBdiFrT5g\n"                                               \
    "+sziiZYursQmpS/qeWx60GQQALtjB8iilSiISsxzel7ypbUCcEdcfoqywk7jm1SO\n"                                               \
    "Qwd7wuSyiuvngF1zdRy6AbCARLDSmBRNm8Yz3bH+WC8lcLKRV1FkCLxgSdqtrB3d\n"                                               \
    "agmFPvUdOLoD4n+tsAci6xI+Psv8+0PFlRRGg6iCaWWkXhKtS6ZhO5WilOp1yC30\n"                                               \
    "hsXWdO8Bcff8xATMxgZjNjvwTtBxuz7FW3sAVSzqSy7+eDK/UuW5br+MRO0salHZ\n"                                               \
    "I6LJueG07osXWT9bVaX7YEJu5svQnUaXi9vwbG6k2xBz1XVFQL0lJFwq8EOYYxg1\n"                                               \
    "9xDpdC+aK8bBiE7+KLVEj5HHwAOXkHqTpEimQ5qDUwfhdVPxidAh6r0gba5gqjhj\n"                                               \
    "5LsGg4d8evNbNFwm93ytIzNYv4XpTIQ8ixVzF7yP3KrmZ3YlubNuBhT8J0gg2+u6\n"                                               \
    "SXy9yVU12lzRS0Ncc4B3/CrmiNFeKL6CdS6U9aI2f5S3WC+IxE7fWZCA11XXBdto\n"                                               \
    "cG0OHKlesTR0CLUKdCRqsQQIM74IMnObQ/ogdnw4boliC/A7VcQdZZEvHVRo5Rus\n"                                               \
    "4aN6gA+Cp9qGfUA5kW0bS0U/lWfS0I4Ut/a5meMdFoIUgodUqgJt6Z/oe7Efv/1C\n"                                               \
    "qFGRpbq07HTZmoNPKjyfessd6LLD2DGHGUs23ai218RAh1Z4J+1y/R7533ODC/lQ\n"                                               \
    "IH5z3zsjFgpMYA5pdgvLD1dmC1Px2uaaGVIYugyLXfv3kjlTTxpdblPuKXL55Xkx\n"                                               \
    "DAPo+7ogDYYIbgabFQRoWGmWTm6gnCHg+96j+sm7DNgK0ZGBNCIKQUN9pM+M/C2p\n"                                               \
    "Lzn2CwrS32Kvfz3PnX8akATGoTs+z2KhMxB20Cy+CSny258yYq+L+ZokX3Wmo1VJ\n"                                               \
    "PSKTUssVL00jDvDY17qfnJsZPDng+0weBAW3hjokd/M2treF1Lm59TegGOrBLTPx\n"                                               \
    "sdYh99dVWsKWCh1NFoYOUCg6w3C+BhH8v0CCfk+pZAvIn/7TZKSXRTEEAMuBohk7\n"                                               \
    "dDPgkVgI18kXGh72e3UkK9WUClF5ir6B7EXjKnVd7/XbAXeYmpTlDAHLk54aQWqk\n"                                               \
    "HMGvxeJnl4FUDu3cmsl0j+Id4vW+LjVexhMs9aAEKFSw/sYKda0YZuZihNmam7j0\n"                                               \
    "x02TkQcZYKWZ+WjTsRqRa56Fr3kHESCTf9NjIxL1CYBaNbNFP2sOZssrNsmFwinr\n"                                               \
    "svgBkpNmpVCPz6tbzWy4dLIv2GmelPnSKoZHG6GDhsKVnEpojefaSOGViAPFbol4\n"                                               \
    "BWXYPIIOoSo9ykcB/AyLQ+4wbEViiKwZUMRniXmyoVgbqvPq2WrJ/lJgOJJUzHH0\n"                                               \
    "GfZI6K330wwgNt9FpuuIVTkyE4+QdQF2I8r+EngqrQPQ\n"                                                                   \
    "-----END ENCRYPTED PRIVATE KEY-----\n"

#define EC_PRIVATE                                                                                                     \
    "-----BEGIN PRIVATE KEY-----\n"                                                                                    \
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgq6L7oP7YleTT1FR3\n"                                               \
    "ukQvEhxWO1Qj/yalDKFaJsXCsdKhRANCAARVoI4CQ0/QeWbLqXVAkeiOv3ZizVrp\n"                                               \
    "ulxjoDvDKm9uxpwqsFAV6wqRfTky5SEnttuM3M+XHhT11bDp6XGtDzyM\n"                                                       \
    "-----END PRIVATE KEY-----\n"

#define EC_PUBLIC                                                                                                      \
    "-----BEGIN PUBLIC KEY-----\n"                                                                                     \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEVaCOAkNP0Hlmy6l1QJHojr92Ys1a\n"                                               \
    "6bpcY6A7wypvbsacKrBQFesKkX05MuUhJ7bbjNzPlx4U9dWw6elxrQ88jA==\n"                                                   \
    "-----END PUBLIC KEY-----\n"

#define EC_384_PUBLIC                                                                                                  \
    "-----BEGIN PUBLIC KEY-----\n"                                                                                     \
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEDDvS1elYFPc3K2VsXsu2MLKLvFsL5GPx\n"                                               \
    "+guB6JEAInYfkXzTKeoIUMVcBEIXgLft96YenbRTnEnyJjSdkYBUMaiWS82t49lG\n"                                               \
    "WR6qQeSLbYhKHIZkZTKBUFCGaM4KnX2C\n"                                                                               \
    "-----END PUBLIC KEY-----\n"

/* {"sub":"ada","exp":946688400}, which is an hour after the beginning of the simulated world */
#define HS256_BY_OTHERS                                                                                                \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEiLCJleHAiOjk0NjY4ODQwMH0.19vpZBlhhEIlKnby7WVU9Ct"             \
    "vnoTdCDRXOVUb7AJ0Bsc"

#define RS256_BY_OTHERS                                                                                                \
    "eyJhbGciOiJSUzI1NiIsImtpZCI6Im9uZSIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEiLCJleHAiOjk0NjY4ODQwMH0.jqJKJtH"             \
    "cuW3X9VpD1_KLZ9qryB51pBJaAYvZqPnExC_j6Ez0MksouWx2BZp4x95QW0j5sArOCpoDolC2iVUQtG6wkRgNAlkCa6xZ0SRmpi0"             \
    "lmHzJRQLeQVV-pJjmZs-f9Us61ig28-grrD9YU-1fKNaZPnhr2BQGc16Dql7AWTUJc9H1KE5b2CwZUmZ7ayHjIHbeWpULP5FYcmQ"             \
    "cuBGJsymFGwi4vcJdyD39DoSbHK1NoOhlrxrdC_2C2u-T9afVVlZsISOTlAVq1tDw5I55hoDogXabNJZ7OCEdbxh6B4E7vLDPtpl"             \
    "TVhn45BOjrxliFyp8hNz2Ti7qM2goTAsP5A"

#define ES256_BY_OTHERS                                                                                                \
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEiLCJleHAiOjk0NjY4ODQwMH0.ij0DRKGGO2G_n9F46upuxWn"             \
    "mE-0bvxiaQtsnjVTW5JSyZ4sXunCyWPgqn9_eaXrC6hq-X2rHj0Yw5SMxa00m0g"

/* The same, in ways that must not be taken: signed with another algorithm, not signed, signed by HMAC with the text of
 * the public key (algorithm confusion). */
#define HS384_BY_OTHERS                                                                                                \
    "eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEiLCJleHAiOjk0NjY4ODQwMH0.pNEKC447i0eS1OsZRNClQR0"             \
    "DoD19RxVZ3hOqgvxqlABdRATtAAQ7xDTEwG3kFTI0"

#define NOT_SIGNED "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhZGEiLCJleHAiOjk0NjY4ODQwMH0."

#define SIGNED_BY_PUBLIC_KEY                                                                                           \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEiLCJleHAiOjk0NjY4ODQwMH0.7DqfyTr0RxAOAFh37UFkYqT"             \
    "GnDqq7NIpoU2ksUMlNuI"

#define CRITICAL                                                                                                       \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImNyaXQiOlsiYjY0Il0sImI2NCI6ZmFsc2V9.eyJzdWIiOiJhZGEiLCJleHAiOjk"             \
    "0NjY4ODQwMH0.NhYl5GVuESbtAlrZPj8wPy1pvE3SAv8AuzWpgc6Fvis"

#define TWO_ALGORITHMS                                                                                                 \
    "eyJhbGciOiJub25lIiwiYWxnIjoiSFMyNTYiLCJ0eXAiOiJKV1QifQ.eyJzdWIiOiJhZGEiLCJleHAiOjk0NjY4ODQwMH0.5yhmG"             \
    "FY1VNihdKmUQN5kE5VSq5umz8VkJjZnwhlxGZw"

#endif
