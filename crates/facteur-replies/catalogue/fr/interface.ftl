# Les textes de l’interface en français. Chaque langue a les mêmes messages et les mêmes valeurs ; la
# compilation et les tests le vérifient. Un message est une phrase ou un libellé entier, jamais un morceau.

## Expliquer une réponse

label-meaning = Ce que cela veut dire
label-when = Quand on la rencontre
label-fix = Que faire
label-retry = Un nouvel essai sert-il à quelque chose ?
label-who-acts = Qui doit agir
label-stages = Où on la rencontre
label-speakers = Qui la donne
label-see = Voir aussi
label-rfc = Normes

basis-pair = Le code { $code } accompagné de { $enhanced } a un sens bien à lui : le voici.
basis-enhanced = { $code ->
    [none] Voici ce que signifie { $enhanced }.
   *[other] Voici ce que signifie { $enhanced }, plus précis que { $code }.
}
basis-code = { $adds ->
    [nothing] Voici ce que signifie { $code } ; { $enhanced } ne dit rien de plus.
    [unknown] Voici ce que signifie { $code } ; le catalogue ne sait pas ce que { $enhanced } y ajoute.
   *[none] Voici ce que signifie { $code }.
}
basis-subject = Le détail de { $enhanced } n’est pas enregistré ; voici ce que dit son deuxième nombre ({ $key }).
basis-class = { $code ->
    [none] Le catalogue ne sait rien de { $enhanced } au-delà de son premier chiffre ; voici ce que dit celui-ci.
   *[other] Aucune RFC ne donne de sens à { $code } ; voici ce que dit son premier chiffre, le seul sur lequel un serveur ait le droit de se régler.
}
basis-unknown = { $code ->
    [none] Il n’y a pas de code à expliquer.
   *[other] { $code } n’est pas une réponse SMTP : le premier chiffre en est toujours 2, 3, 4 ou 5.
}

## Les valeurs des faits

actor-nobody = personne
actor-sender = l’expéditeur
actor-developer = le développeur du programme d’envoi
actor-sending-operator = l’administrateur du serveur d’envoi
actor-recipient = le destinataire
actor-recipient-operator = l’administrateur du serveur destinataire

retry-yes = Oui, et le serveur d’envoi s’en charge tout seul, plus tard.
retry-no = Non : la réponse restera la même.
retry-after-change = Seulement après une correction.
retry-none-needed = Il n’y a rien à refaire : c’est une réussite.
retry-continue = Ni oui ni non : l’échange continue, le verdict viendra plus tard.

stage-connect = l’ouverture de la connexion
stage-hello = EHLO ou HELO
stage-starttls = STARTTLS
stage-auth = AUTH
stage-mail = MAIL
stage-rcpt = RCPT
stage-data = DATA
stage-end-of-data = le point final
stage-bdat = BDAT
stage-other = une autre commande (QUIT, RSET, NOOP, VRFY, HELP…)
stage-any = n’importe quelle commande
stage-queue = la file d’attente du serveur d’envoi

speaker-receiving-server = le serveur destinataire
speaker-relay = un relais en chemin
speaker-sending-server = le serveur d’envoi lui-même

category-unknown-user = destinataire inconnu
category-mailbox-disabled = boîte aux lettres désactivée
category-mailbox-full = boîte aux lettres pleine
category-null-mx = domaine qui n’accepte pas de courrier (MX nul)
category-reputation = réputation du serveur ou du domaine d’envoi
category-rate-limit = débit d’envoi
category-greylisting = liste grise
category-auth-message = authentification du message (SPF, DKIM, DMARC)
category-auth-login = authentification du client (SMTP AUTH)
category-policy = règle locale
category-content = contenu du message
category-size = taille du message
category-tls-required = chiffrement absent
category-relay-denied = relais refusé
category-sender-invalid = adresse de l’expéditeur
category-dns-rdns = DNS ou DNS inverse
category-protocol = dialogue SMTP
category-system-temporary = incident passager d’un serveur
category-loop-or-expired = boucle, ou délai de remise écoulé
category-routing = chemin vers la destination
category-ok = réussite

list-and = { $head } et { $last }
list-or = { $head } ou { $last }
list-comma = { $head }, { $next }

## Comparer deux réponses

label-differences = Les différences
label-which = Laquelle se rencontre quand
label-confusion = Ce que l’on confond
label-at-a-glance = En bref

compare-title = { $a } et { $b }
compare-same-entry = { $a } et { $b } ont le même sens, « { $title } » ; seul ce qui suit peut différer.
compare-stages-apart = { $a } et { $b } ne peuvent jamais répondre à la même commande. On rencontre { $a } ici : { $left }. On rencontre { $b } ici : { $right }.
compare-stages-shared = { $a } et { $b } peuvent se rencontrer au même endroit : { $shared }.
compare-class-same = { $class ->
    [success] { $a } et { $b } annoncent toutes deux une réussite.
    [intermediate] { $a } et { $b } invitent toutes deux le client à poursuivre ; aucune n’est un verdict.
    [transient] { $a } et { $b } sont toutes deux des refus temporaires.
    [permanent] { $a } et { $b } sont toutes deux des refus définitifs.
   *[unknown] Ni { $a } ni { $b } n’est une réponse SMTP.
}
compare-class-apart = { $left ->
    [success] { $a } annonce une réussite
    [intermediate] { $a } invite le client à poursuivre
    [transient] { $a } est un refus temporaire
    [permanent] { $a } est un refus définitif
   *[unknown] { $a } n’est pas une réponse SMTP
} ; { $right ->
    [success] { $b } annonce une réussite.
    [intermediate] { $b } invite le client à poursuivre.
    [transient] { $b } est un refus temporaire.
    [permanent] { $b } est un refus définitif.
   *[unknown] { $b } n’est pas une réponse SMTP.
}
compare-speakers-same = { $a } et { $b } viennent de la même voix : { $both }.
compare-speakers-apart = Les voix diffèrent. Derrière { $a } : { $left }. Derrière { $b } : { $right }.
compare-retry-same = { $both ->
    [yes] Après { $a } comme après { $b }, le serveur d’envoi réessaie tout seul.
    [no] Un nouvel essai ne sert à rien, ni après { $a } ni après { $b }.
    [after-change] Après { $a } comme après { $b }, un nouvel essai n’est utile qu’après une correction.
    [none-needed] Ni { $a } ni { $b } ne laissent rien à refaire.
   *[continue] Après { $a } comme après { $b }, l’échange continue.
}
compare-retry-apart = { $left ->
    [yes] Après { $a }, le serveur d’envoi réessaie tout seul
    [no] Après { $a }, un nouvel essai ne sert à rien
    [after-change] Après { $a }, un nouvel essai n’est utile qu’après une correction
    [none-needed] Après { $a }, il n’y a rien à refaire
   *[continue] Après { $a }, l’échange continue
} ; { $right ->
    [yes] après { $b }, le serveur d’envoi réessaie tout seul.
    [no] après { $b }, un nouvel essai ne sert à rien.
    [after-change] après { $b }, un nouvel essai n’est utile qu’après une correction.
    [none-needed] après { $b }, il n’y a rien à refaire.
   *[continue] après { $b }, l’échange continue.
}
compare-actors-same = C’est aux mêmes d’agir après { $a } et après { $b } : { $both }.
compare-actors-apart = Ceux qui doivent agir diffèrent. Après { $a } : { $left }. Après { $b } : { $right }.
compare-category-same = Le sujet est le même pour { $a } et { $b } : { $both }.
compare-category-apart = Les sujets diffèrent. { $a } : { $left }. { $b } : { $right }.

## Les comptes rendus à l’expéditeur (DSN)

dsn-subject-failed = Votre message n’a pas pu être remis
dsn-subject-delayed = Votre message a du retard ; ce serveur continue d’essayer
dsn-subject-done = Des nouvelles de la remise de votre message
dsn-english-below = The same text stands below in English.
dsn-about = Ici le serveur de messagerie { $host }, au sujet du message de { $size } reçu de vous le { $date } et nommé { $id } chez nous.
dsn-message-id = Votre programme a nommé ce message { $message-id }.
dsn-failed = Il n’a pas pu être remis à :
dsn-expired = Il a fait l’objet de nombreux essais depuis le { $since } et vient d’être abandonné. Il n’a pas pu être remis à :
dsn-delayed = Il n’a pas encore été remis à :
dsn-delivered = Il a été remis dans la boîte de :
dsn-relayed = Il a été transmis à un serveur qui ne confirme pas les remises ; il n’y aura plus de nouvelles concernant :
dsn-expanded = Il a été envoyé aux adresses que désigne :
dsn-said-by-peer = { $stage ->
    [greeting] À l’ouverture de la connexion, le serveur { $host } a dit :
    [hello] Quand notre serveur s’est présenté (EHLO), le serveur { $host } a répondu :
    [starttls] Au moment de chiffrer la liaison (STARTTLS), le serveur { $host } a répondu :
    [auth] Quand notre serveur s’est authentifié (AUTH), le serveur { $host } a répondu :
    [mail] À l’annonce de l’expéditeur (MAIL), le serveur { $host } a répondu :
    [rcpt] À l’annonce du destinataire (RCPT), le serveur { $host } a répondu :
    [data] À l’annonce du message (DATA), le serveur { $host } a répondu :
   *[end-of-data] Après avoir reçu le message, le serveur { $host } a répondu :
}
dsn-said-by-us = { $stage ->
    [route] Aucun autre serveur n’a été interrogé. Notre serveur a constaté de lui-même :
    [mailbox] Notre serveur a noté en écrivant dans la boîte :
    [queue] La file d’attente de notre serveur a décidé :
   *[other] Notre serveur a noté, en chemin vers le serveur du destinataire :
}
dsn-meaning = Ce que cela signifie : { $title }
dsn-fix = Ce qu’on peut faire :
dsn-again-no = Renvoyer le message à la même adresse ne servira à rien.
dsn-again-after-change = Renvoyer le message ne servira que lorsque quelque chose aura changé.
dsn-again-expired = Renvoyer le message peut réussir une fois la cause disparue.
dsn-again-delayed = Vous n’avez rien à faire, ni à renvoyer le message : notre serveur réessaie de lui-même, la prochaine fois le { $next }. Il abandonnera le { $until } et vous le dira le cas échéant.
dsn-more = { $count ->
    [one] Un autre destinataire est nommé dans la partie destinée aux programmes.
   *[other] { $count } autres destinataires sont nommés dans la partie destinée aux programmes.
}
dsn-rest-headers = À la suite de ce texte se trouvent les mêmes faits à l’usage des programmes, et les lignes d’en-tête de votre message.
dsn-rest-whole = À la suite de ce texte se trouvent les mêmes faits à l’usage des programmes, et votre message.

## The command line

cli-about = Facteur, le serveur de courrier qui s’explique
cli-usage = Usage :
cli-error = erreur
cli-hint = conseil
cli-labelled = { $label } : { $words }
cli-field = { $label } :

cli-help-help = Afficher cette aide
cli-help-version = Afficher la version
cli-help-lang = Langue de l’affichage : en, fr (par défaut, celle de l’environnement)
cli-help-json = Répondre en JSON, avec des clés stables
cli-help-color = Couleurs : auto (par défaut), always (toujours) ou never (jamais)
cli-help-config = Fichier de configuration (TOML)
cli-help-data-dir = Répertoire du spool et de ce qui l’accompagne
cli-help-serve = Lancer le serveur
cli-help-send = Envoyer un message d’essai et expliquer chaque réponse au passage
cli-help-send-from = Expéditeur (MAIL FROM) ; <> pour l’expéditeur nul
cli-help-send-to = Destinataire (RCPT TO) ; peut être répété
cli-help-send-server = Serveur à contacter : hôte, hôte:port ou chemin d’un socket Unix
cli-help-send-port = Port, si le serveur est donné sans
cli-help-send-ehlo = Nom annoncé à EHLO
cli-help-send-protocol = SMTP (avec HELO), ESMTP (par défaut) ou LMTP
cli-help-send-header = Champ d’en-tête à ajouter ou à remplacer, sous la forme « Nom: valeur »
cli-help-send-body = Corps : texte, @fichier, ou - pour l’entrée standard
cli-help-send-data = Message entier : texte, @fichier, ou - pour l’entrée standard
cli-help-send-quit-after = S’arrêter après cette étape : connect, ehlo, mail, rcpt ou data
cli-help-send-pipeline = Grouper les commandes si le serveur annonce PIPELINING
cli-help-send-timeout = Attente maximale de chaque réponse, en secondes (30 par défaut)
cli-help-send-brief = Afficher le dialogue sans explications
cli-help-status = Montrer comment va le serveur en marche
cli-help-check = Le courrier peut-il atteindre ce domaine ou cette adresse, et par où ?
cli-help-check-subject = Domaine ou adresse à vérifier
cli-help-explain = Expliquer un code, une réponse, ou les réponses d’un texte lu sur l’entrée standard
cli-help-explain-what = Un code (354, 5.1.10), une réponse entière, ou - pour l’entrée standard
cli-help-compare = Comparer deux codes : les différences qui comptent
cli-help-compare-code = Un code : 354, 5.1.10 ou « 550 5.7.1 »
cli-help-queue = Voir ce qui attend, et agir dessus
cli-help-queue-list = Lister les messages en file d’attente
cli-help-queue-show = Montrer un message : pourquoi il attend, et jusqu’à quand
cli-help-queue-id = Identifiant du message dans la file
cli-help-queue-limit = Ce nombre de messages au plus
cli-help-queue-summary = Compter ce qui attend, par domaine et par dernière réponse
cli-help-queue-rows = Ce nombre de lignes de chaque sorte au plus ; 20 par défaut
cli-help-queue-hold = Retenir des messages jusqu’à ce qu’ils soient libérés
cli-help-queue-release = Lever des retenues ; les messages sont essayés aussitôt
cli-help-queue-retry = Essayer des messages maintenant
cli-help-queue-bounce = Abandonner des messages et prévenir leurs expéditeurs
cli-help-queue-delete = Abandonner des messages sans prévenir personne
cli-help-queue-ids = Identifiants de file ; avec des filtres, seuls ceux qui y répondent
cli-help-queue-all = Tous les messages, si aucun identifiant ni filtre n’est donné
cli-help-queue-dry-run = Dire ce qui serait fait, et ne rien faire
cli-help-queue-reason = Pourquoi : conservé avec l’acte ; « bounce » le dit à l’expéditeur
cli-help-queue-for = Durée de la retenue : 90s, 5m, 4h, 5d
cli-help-filter-host = Seulement ce qui a été essayé en dernier sur cet hôte, dans ce domaine ou à cette adresse
cli-help-filter-older = Seulement les messages qui ont au moins cet âge : 90s, 5m, 4h, 5d
cli-help-filter-younger = Seulement les messages plus récents
cli-help-filter-larger = Seulement les messages plus gros : 52428800, 512KiB, 50MiB
cli-help-filter-smaller = Seulement les messages plus petits
cli-help-filter-reply = Seulement ce qui a reçu ce code en dernier : 450, ou 4.7.1
cli-help-filter-category = Seulement ce dont la dernière réponse parle de cela : rate-limit, unknown-user…
cli-help-filter-held = Seulement ce qui est retenu
cli-help-filter-sender = Seulement les expéditeurs qui contiennent ce texte
cli-help-filter-recipient = Seulement les destinataires qui contiennent ce texte
cli-help-filter-domain = Seulement les destinataires de ce domaine
cli-help-trace = Raconter l’histoire d’un message
cli-help-trace-subject = Identifiant de file, Message-ID ou adresse
cli-help-trace-brief = Omettre les dialogues
cli-help-config-command = Vérifier ou montrer la configuration
cli-help-config-check = Vérifier un fichier de configuration
cli-help-config-show = Montrer la configuration en vigueur, valeurs par défaut comprises
cli-help-config-diff = Montrer ce qu’une autre configuration changerait, clé par clé, et quand
cli-help-config-diff-against = Un fichier, ou « running » pour le serveur en marche (par défaut)
cli-help-config-reload = Faire relire au serveur sa configuration
cli-help-config-schema = Écrire le schéma JSON du fichier de configuration
cli-help-config-explain = Dire à quoi servent les clés de la configuration
cli-help-config-explain-key = Une clé (retry, delivery.retry) ou une table (delivery) ; sinon, toutes
cli-help-completions = Écrire ce qu’il faut à un shell pour compléter la ligne de commande
cli-help-completions-shell = bash, zsh ou fish
cli-help-man = Écrire la page de manuel, ou toutes dans un répertoire
cli-help-man-out = Répertoire où écrire facteur.1, une page par commande et facteur.toml.5
cli-help-spool = Vérifier le spool, ou en extraire les messages
cli-help-spool-check = Relire tout le spool et signaler ce qui est abîmé
cli-help-spool-export = Écrire chaque message en attente dans un répertoire
cli-help-spool-export-to = Répertoire où écrire

cli-usage-unknown-argument = l’option « { $value } » n’existe pas
cli-usage-unknown-command = la commande « { $value } » n’existe pas
cli-usage-missing = il manque quelque chose : { $value }
cli-usage-conflict = « { $value } » ne peut pas être combiné avec les autres options données
cli-usage-bad-value = « { $value } » n’est pas une valeur pour { $argument }
cli-usage-utf8 = la ligne de commande contient des octets qui ne sont pas de l’UTF-8
cli-usage-valid = valeurs possibles : { $valid }
cli-usage-suggested = vouliez-vous dire « { $suggested } » ?
cli-usage-help = « facteur --help » donne la liste des commandes

explain-title = { $code } — { $title }
explain-nothing-found = aucun code SMTP dans « { $asked } »
explain-nothing-found-hint = donnez un code comme 354 ou 5.1.10, ou une réponse entière comme « 550 5.1.1 no such user »
compare-not-a-code = « { $asked } » n’est pas un code SMTP

## The configuration

config-cannot-read = impossible de lire { $path } : { $words }
config-problems = { $count ->
    [one] { $path } est inutilisable : un problème
   *[other] { $path } est inutilisable : { $count } problèmes
}
config-fine = { $path } est utilisable
config-fine-default = aucun fichier de configuration donné ; les valeurs par défaut sont utilisables
config-syntax = ceci n’est pas du TOML : { $words }
config-syntax-hint = les textes s’écrivent entre guillemets, les tables entre crochets ; voir https://toml.io
config-unknown-key = la clé « { $key } » n’existe pas ici
config-unknown-key-hint-nearest = vouliez-vous dire « { $nearest } » ?
config-unknown-key-hint-known = voici les clés possibles ici : { $known }
config-wrong-kind = « { $key } » attend une valeur d’un autre type
config-wrong-kind-hint = valeur attendue : { $expected }
config-bad-value = « { $value } » ne convient pas ici
config-bad-value-hint = valeur attendue : { $expected }
config-out-of-range = { $value } est hors limites
config-out-of-range-hint = au moins { $least }, au plus { $most }
config-missing = il manque « { $key } » dans cette table
config-missing-hint = ajoutez une ligne { $key } = …
config-open-relay = { $network } est si large que n’importe qui pourrait envoyer du courrier par ce serveur
config-open-relay-hint = n’indiquez que les réseaux de vos propres machines ; un relais ouvert est repéré et mis en liste noire en quelques heures
config-open-relay-domain = { $domain } relaierait le courrier de tous les domaines
config-open-relay-domain-hint = indiquez un par un les domaines pour lesquels ce serveur est un relais
config-role-not-available = cette version n’a pas encore de point d’écoute « { $role } »
config-role-not-available-hint = la soumission demande STARTTLS et AUTH, qui n’y sont pas encore ; « mx » et « lmtp » y sont
config-twice = { $what } figure deux fois
config-twice-hint = ne gardez que l’un des deux

config-expects-account = le nom ou le numéro d’un utilisateur ou d’un groupe de cette machine, comme "facteur"
config-expects-address = une adresse, comme "user@example.org"
config-expects-boolean = true ou false
config-expects-count = un nombre entier
config-expects-deliver = "maildir:/chemin/{"{"}user{"}"}", "lmtp:HÔTE:PORT", "lmtp:/chemin/socket" ou "relay:HÔTE:PORT"
config-expects-delimiter = un signe de ponctuation, ou "" pour aucun
config-expects-destination = un domaine, *.domaine, *, mx:motif, ou le nom d’une destination comme relay:HÔTE:PORT
config-expects-domain = un nom de domaine, comme "example.org"
config-expects-duration = un nombre suivi d’une unité, comme "90s", "5m", "4h" ou "5d"
config-expects-endpoint = une adresse et un port, comme "127.0.0.1:25" ou "[::1]:25"
config-expects-language = une langue : "en" ou "fr"
config-expects-log-format = "text", "json" ou "journald"
config-expects-log-level = "error", "warn", "info", "debug" ou "trace"
config-expects-moment = un moment, comme "2026-12-01T00:00:00Z"
config-expects-reason = une ligne de texte, de 200 octets au plus
config-expects-network = un réseau, comme "192.0.2.0/24" ou "2001:db8::/32"
config-expects-next-hop = un serveur, comme "10.0.0.1:25", "relay.example.org" ou "/chemin/socket"
config-expects-on-rate-limit = slow-down, slow-down-by-words ou ignore
config-expects-path = un chemin
config-expects-pattern = "example.org", "*.example.org" ou "*"
config-expects-role = "mx" ou "lmtp"
config-expects-secret-file = le chemin absolu d’un fichier, comme "/etc/facteur/token"
config-expects-size = une taille, comme 1048576, "512 KiB" ou "50 MiB"
config-expects-table = une table
config-expects-tables = des tables entre doubles crochets, comme [[listen]]
config-expects-user = un nom d’utilisateur, sans @
config-expects-console-address = une adresse et un port, comme "127.0.0.1:8025", ou "off"
config-expects-label = un nom fait de lettres, de chiffres, de « - », « _ » et « . », 60 au plus
config-expects-webhook-event = accepted, delivered, deferred, bounced ou expired
config-expects-webhook-url = une adresse en https://, ou en http:// vers cette machine, sans mot de passe

## Les clés de la configuration, en Markdown : le schéma, le manuel et la page de manuel montrent ces textes

config-file = Configuration de Facteur
config-placeholder-name = NOM
config-key-restart = { $meaning }. Un changement prend effet au redémarrage du serveur
config-bounds = de { $least } à { $most }
config-bounds-each = de { $least } à { $most } chacune
config-default-none = –
config-explain-default = Par défaut : { $default }
config-explain-default-bounds = Par défaut : { $default } ; { $bounds }
config-route-over = { $has_reason ->
    [0] La route { $pattern } vers { $hop } a pris fin le { $until } et ne s’applique pas.
   *[other] La route { $pattern } vers { $hop } a pris fin le { $until } et ne s’applique pas. Sa raison : { $reason }
}
check-route = La configuration envoie ce courrier à { $hop } à la place (route { $pattern }).{ $has_until ->
    [0] {""}
   *[other] {" "}Jusqu’au : { $until }.
}{ $has_reason ->
    [0] {""}
   *[other] {" "}Raison : { $reason }
}
config-no-such-key = il n’y a pas de clé « { $key } »
config-no-such-key-hint = « facteur config explain » les montre toutes

config-diff-none = Les configurations sont égales.
config-diff-unset = (absente)
config-diff-reload = prend effet à la relecture
config-diff-restart = prend effet au redémarrage du serveur
config-diff-beyond = Le serveur en marche refuserait cette configuration à la relecture. Depuis son démarrage, il est confiné :
config-reloaded = { $count ->
    [0] La configuration a été relue ; aucune clé n’a changé.
    [one] La configuration a été relue : une clé a changé.
   *[other] La configuration a été relue : { $count } clés ont changé.
}
config-reloaded-waiting = { $count ->
    [one] Un changement attend le redémarrage du serveur.
   *[other] { $count } changements attendent le redémarrage du serveur.
}
config-not-reloaded = la configuration en vigueur reste ce qu’elle était
reload-beyond = la configuration demande plus que ce à quoi le serveur est confiné depuis son démarrage
reload-beyond-hint = redémarrez le serveur pour l’employer
reload-beyond-folder = il ne peut pas écrire dans { $path }
reload-beyond-socket = il ne peut pas créer de socket dans { $path }
reload-beyond-listen = il ne peut pas écouter sur le port { $port }
reload-beyond-connect = il ne peut pas se connecter au port { $port }
reload-cannot-listen-hint = ce qui partage un port avec un point d’écoute qui disparaît, et les ports sous 1024, peuvent demander un redémarrage
config-table-head = | clé | sens | par défaut |
config-table-head-bounds = | clé | sens | par défaut | bornes |

config-key-hostname = le nom du serveur : dans l’accueil, dans EHLO, dans `Received:` et dans les avis. Le courrier pour `postmaster` à ce nom est toujours local
config-default-hostname = le nom de la machine, sinon `localhost`
config-key-data_dir = où se trouve le spool (`DIR/spool`). `--data-dir` l’emporte
config-key-language = langue des avis quand aucun domaine n’en dit plus. L’anglais suit un avis dans une autre langue
config-key-postmaster = qui reçoit le courrier pour `postmaster`, au nom d’hôte et dans les domaines locaux qui n’ont ni alias ni utilisateur déclaré de ce nom (RFC 5321 §4.5.1)
config-default-postmaster = la boîte `postmaster` ; pour le nom d’hôte, celle du premier domaine local par ordre de nom
config-key-listen = où le courrier entre
config-key-listen-address = `IP:PORT`, ou le chemin absolu d’une socket Unix. Obligatoire. `[::]` ne sert qu’IPv6 : pour les deux, écoutez aussi sur `0.0.0.0`
config-key-listen-role = `mx` : SMTP. `lmtp` : LMTP (RFC 2033). `submission` et `submissions` sont refusés dans cette version
config-key-listen-normalise_newlines = `true` : un CR ou un LF isolé dans un message devient CRLF. `false` : le message est refusé par `550 5.6.11`
config-key-relay = qui peut écrire partout
config-key-relay-networks = les adresses et réseaux (`"10.0.0.0/8"`, `"2001:db8::/32"`) dont les clients peuvent écrire partout. Un réseau IPv4 plus large que /8 ou IPv6 plus large que /16 est refusé
config-key-relay-domains = les domaines relayés pour tous : `"good.test"` pour lui seul, `"*.good.test"` pour ceux qui sont dessous. `"*"` est refusé
config-default-relay-domains = aucun
config-key-domains = les domaines locaux : leur courrier s’arrête ici, ou chez le serveur qui a les boîtes
config-key-domains-deliver = obligatoire : `maildir:CHEMIN`, `lmtp:HÔTE:PORT`, `lmtp:/chemin/de/la/socket` ou `relay:HÔTE:PORT`
config-key-domains-users = les boîtes aux lettres. La casse ne compte pas
config-default-domains-users = tout nom est une boîte
config-key-domains-catch_all = qui reçoit le courrier des noms qui ne sont ni utilisateurs ni alias. Seulement avec `users`
config-default-domains-catch_all = personne
config-key-domains-tag_delimiter = ce qui sépare une étiquette : `anne+achats` est `anne`. Un signe de ponctuation ASCII autre que `@` ; `""` pour aucun
config-key-domains-language = langue des avis aux expéditeurs de ce domaine
config-default-domains-language = celle du serveur
config-key-domains-aliases = une table : un nom et les adresses qu’il représente. Une cible sans `@` est un nom du même domaine
config-default-domains-aliases = aucun
config-key-route = où va le courrier, au lieu du MX
config-key-route-match = obligatoire : `"example.org"`, `"*.internal"` (ceux qui sont dessous, pas `internal` lui-même) ou `"*"` pour tous (un relais de sortie)
config-key-route-next_hop = obligatoire : `HÔTE`, `HÔTE:PORT`, `IP:PORT`, `[IPV6]:PORT` ou le chemin d’une socket Unix ; port 25 si aucun n’est donné. Un nom est cherché par A et AAAA, jamais par MX
config-key-destination = ce qu’une destination reçoit au plus, et ce qui suit quand elle en demande moins. Parmi les règles qui conviennent, la plus précise fixe chaque clé
config-key-destination-match = obligatoire : `"gmail.com"`, `"*.example"` (chaque domaine en dessous, pour lui-même), `"*"` (chaque destination pour elle-même, sauf les boîtes locales), ou `"mx:*.google.com"` : tous les domaines ensemble dont un MX porte un tel nom. Ou encore une destination par son propre nom : `"relay:HÔTE:PORT"`, `"lmtp:…"`, `"maildir:DOMAINE"`, `"[IP]"`
config-key-destination-connections = connexions à la fois
config-default-destination-connections = `connections_per_destination` de `[delivery]` ; pour `mx:`, sans limite
config-key-destination-messages_per_minute = messages par minute, à intervalles égaux
config-default-destination-messages_per_minute = sans limite
config-key-destination-connections_per_minute = nouvelles connexions par minute, à intervalles égaux. Une connexion libre n’en demande pas de nouvelle
config-default-destination-connections_per_minute = sans limite
config-key-destination-recipients_per_minute = destinataires par minute, à intervalles égaux. Un message pour davantage part en plusieurs fois
config-default-destination-recipients_per_minute = sans limite
config-key-destination-messages_per_connection = messages qu’une connexion transporte ; ensuite il en faut une nouvelle
config-default-destination-messages_per_connection = 100
config-key-destination-slow_start = `true` : une connexion au début, deux fois plus après chaque réponse rapide. `false` : toutes d’emblée
config-default-destination-slow_start = `true`
config-key-destination-on_rate_limit = la politique face aux réponses qui demandent moins de courrier. `slow-down` : un 4yz dont les codes portent sur le débit d’envoi. `slow-down-by-words` : en plus, tout échec dont les mots sont ceux d’une limite de débit d’un fournisseur connu. `ignore` : ni l’un ni l’autre
config-default-destination-on_rate_limit = `"slow-down"`
config-key-destination-rate_limit_pause = combien de temps rien n’est envoyé après une telle réponse ; deux fois plus longtemps après chacune des suivantes, une demi-heure au plus
config-default-destination-rate_limit_pause = `"1m"`
config-key-route-until = quand la route prend fin, comme `"2026-12-01T00:00:00Z"` : dès lors elle ne s’applique plus, sans redémarrage. `facteur config check` et le journal le disent
config-default-route-until = elle ne prend pas fin
config-key-route-reason = sa raison d’être, 200 octets au plus : montrée là où la route l’est
config-default-route-reason = aucune
config-key-dns = comment le DNS est interrogé
config-key-dns-servers = serveurs de noms, `IP` ou `IP:PORT`, interrogés en UDP et, en cas d’échec, en TCP
config-default-dns-servers = ceux de `/etc/resolv.conf`
config-key-dns-timeout = une question en tout : tous les essais, serveurs et CNAME
config-key-delivery = comment le courrier sort
config-key-delivery-port = port des hôtes MX et des adresses littérales
config-key-delivery-retry = l’attente après chaque essai manqué ; la dernière se répète. Chacune est décalée d’un dixième au plus
config-key-delivery-give_up_after = quand revient un message qui n’a pu être remis (RFC 5321 §4.5.4.1)
config-key-delivery-delay_notice_after = après combien de temps l’expéditeur apprend, une fois, que son message est en retard ; `"0s"` pour jamais
config-key-delivery-allow_loopback_mx = `true` : un MX peut mener à la boucle locale de cette machine. Pour les essais et les bancs de test
config-key-delivery-connections = remises simultanées, en tout
config-key-delivery-connections_per_destination = remises simultanées vers une même destination
config-key-delivery-chunking = `true` : le texte part par BDAT là où le serveur suivant offre CHUNKING (RFC 3030 §2) ; `false` : par DATA. Un contenu binaire n’a pas d’autre voie que BDAT
config-key-limits = les bornes de ce qui entre
config-key-limits-message_size = le plus grand message, annoncé par SIZE
config-key-limits-recipients = destinataires d’un message (RFC 5321 §4.5.3.1.8)
config-key-limits-errors = commandes d’une session qui peuvent être refusées définitivement ; une de plus reçoit `421`
config-key-limits-messages_per_session = MAIL acceptés dans une session, annoncés par MAILMAX ; un de plus reçoit `421`
config-key-limits-connections = simultanées, en tout. Un dixième en est réservé aux clients des réseaux de relais et des sockets Unix. Moins quand la limite de fichiers ouverts l’exige
config-key-limits-connections_per_address = simultanées, d’un même inconnu : une adresse IPv4 ou un /64 IPv6
config-key-limits-messages_per_minute = messages par minute d’un même inconnu : une adresse IPv4, ou un /64 IPv6. Un de plus reçoit `451 4.7.28` à MAIL
config-default-limits-messages_per_minute = sans limite
config-key-limits-recipients_per_minute = destinataires par minute d’un même inconnu ; un de plus reçoit `451 4.7.28` à RCPT
config-default-limits-recipients_per_minute = sans limite
config-key-limits-command_timeout = silence avant une commande
config-key-limits-data_timeout = silence au milieu d’un message
config-key-limits-message_timeout = un message, de DATA à sa fin
config-key-limits-session_timeout = une session, après quoi aucune commande n’est plus prise
config-key-limits-shutdown_grace = combien de temps un message en cours, puis les remises en cours, peuvent durer encore à l’arrêt
config-key-history = l’historique de chaque message : voir `facteur trace`
config-key-history-enabled = si l’historique est tenu
config-key-history-keep = combien de temps il est conservé
config-key-history-max_size = la taille que peut atteindre son fichier ; le plus ancien part d’abord
config-key-console = état de santé, métriques et dépôt de messages, par HTTP
config-key-console-address = `IP:PORT`, ou `off`. C’est du HTTP en clair : ailleurs que sur la boucle locale, placez devant un mandataire qui fait du TLS. S’il lui est impossible d’écouter, le courrier continue et le journal le dit
config-key-console-hosts = les noms sous lesquels on s’adresse à elle, outre `localhost` et les adresses IP. Une requête pour un autre nom est écartée, afin qu’aucune page d’un inconnu ne l’atteigne par un nom à lui
config-default-console-hosts = aucun
config-key-console-token = qui peut déposer des messages par HTTP
config-key-console-token-name = son nom dans le journal et dans `Received:`. Obligatoire
config-key-console-token-secret_file = le fichier qui contient le jeton, que personne d’autre ne peut lire. Obligatoire
config-key-webhook = les programmes avertis de ce que deviennent les messages
config-key-webhook-name = son nom dans le journal. Obligatoire
config-key-webhook-url = où il se trouve : `https://…`, ou `http://…` vers cette machine. Obligatoire
config-key-webhook-secret_file = le fichier de la clé qui signe les requêtes, que personne d’autre ne peut lire. Obligatoire
config-key-webhook-events = ce dont il est averti : `accepted`, `delivered`, `deferred`, `bounced`, `expired`
config-key-webhook-language = langue des explications
config-default-webhook-language = celle du serveur
config-key-source = combien les clients d’un réseau peuvent envoyer, chacun pour lui-même. Le réseau le plus étroit qui convient le dit, à la place de `[limits]`, pour les clients des réseaux de relais aussi
config-key-source-match = obligatoire : une adresse ou un réseau
config-key-source-messages_per_minute = messages par minute de chacun
config-default-source-messages_per_minute = sans limite
config-key-source-recipients_per_minute = destinataires par minute de chacun
config-default-source-recipients_per_minute = sans limite
config-key-log = comment le journal est écrit
config-key-log-format = `text` ; `json` : un objet par ligne ; ou `journald` : dans le journal de systemd, champ par champ
config-key-log-level = `error`, `warn`, `info`, `debug` ou `trace`
config-key-process = ce que le processus peut faire
config-key-process-user = qui devient un serveur lancé par root, par nom ou par numéro, une fois à l’écoute et avant de servir quiconque. Un serveur lancé par cet utilisateur lui-même peut aussi le nommer
config-default-process-user = –
config-key-process-group = avec `user` : son groupe
config-default-process-group = celui de l’utilisateur
config-key-process-confine = `true` : le noyau (Landlock) refuse au processus tout dossier et tout port TCP que la configuration ne nomme pas

## facteur destinations

destinations-line = { $name } : { $running } en cours, { $due } à échéance, { $later } plus tard
destinations-well = Le courrier y part à mesure qu’il arrive.
destinations-idle = Il n’y a rien à envoyer.
destinations-paused = { $reason ->
    [none] { $until ->
        [none] Suspendue par { $by } depuis { $since }.
       *[other] Suspendue par { $by } depuis { $since }, jusqu’à { $until }.
    }
   *[other] { $until ->
        [none] Suspendue par { $by } depuis { $since } : { $reason }
       *[other] Suspendue par { $by } depuis { $since }, jusqu’à { $until } : { $reason }
    }
}
destinations-limited = { $reason ->
    [none] { $until ->
        [none] Limitée par { $by } depuis { $since } à { $limits }.
       *[other] Limitée par { $by } depuis { $since }, jusqu’à { $until }, à { $limits }.
    }
   *[other] { $until ->
        [none] Limitée par { $by } depuis { $since } à { $limits } : { $reason }
       *[other] Limitée par { $by } depuis { $since }, jusqu’à { $until }, à { $limits } : { $reason }
    }
}
destinations-down = Elle ne répond pas, et on la laisse en paix pendant { $wait }.
destinations-slowed = { $provider ->
    [none] Elle a demandé moins de courrier, par ses codes. La politique { $policy } laisse passer { $messages } par minute, { $connections } à la fois ; deux fois plus dans { $wait }, si elle ne le redemande pas.
   *[other] Elle a demandé moins de courrier, dans les mots de { $provider }. La politique { $policy } laisse passer { $messages } par minute, { $connections } à la fois ; deux fois plus dans { $wait }, si elle ne le redemande pas.
}
destinations-held-messages-per-minute = { $rule ->
    [none] Le courrier attend à cause de la limite des messages par minute ({ $number }) ; le prochain part dans { $wait }.
   *[other] Le courrier attend à cause de la limite des messages par minute ({ $number }) pour { $rule } ; le prochain part dans { $wait }.
}
destinations-held-connections-per-minute = { $rule ->
    [none] Le courrier attend à cause de la limite des nouvelles connexions par minute ({ $number }) ; la prochaine s’ouvre dans { $wait }.
   *[other] Le courrier attend à cause de la limite des nouvelles connexions par minute ({ $number }) pour { $rule } ; la prochaine s’ouvre dans { $wait }.
}
destinations-held-recipients-per-minute = { $rule ->
    [none] Le courrier attend à cause de la limite des destinataires par minute ({ $number }) ; le prochain message part dans { $wait }.
   *[other] Le courrier attend à cause de la limite des destinataires par minute ({ $number }) pour { $rule } ; le prochain message part dans { $wait }.
}
destinations-held-connections = { $rule ->
    [none] Le courrier attend à cause de la limite des connexions à la fois ({ $number }) ; le prochain message part dès que l’une est libre.
   *[other] Le courrier attend à cause de la limite des connexions à la fois ({ $number }) pour { $rule } ; le prochain message part dès que l’une est libre.
}
destinations-held-rate-limit-pause = { $rule ->
    [none] Rien n’est envoyé pendant { $wait }, parce qu’elle a demandé moins de courrier.
   *[other] Rien n’est envoyé à { $rule } pendant { $wait }, parce que l’un de ses serveurs a demandé moins de courrier.
}
destinations-held-slowed-messages = { $rule ->
    [none] Le courrier attend parce qu’elle en a demandé moins ({ $number } par minute pour l’instant) ; le prochain part dans { $wait }.
   *[other] Le courrier attend parce qu’un serveur de { $rule } en a demandé moins ({ $number } par minute pour l’instant) ; le prochain part dans { $wait }.
}
destinations-held-slowed-connections = { $rule ->
    [none] Le courrier attend parce qu’elle en a demandé moins ({ $number } à la fois pour l’instant).
   *[other] Le courrier attend parce qu’un serveur de { $rule } en a demandé moins ({ $number } à la fois pour l’instant).
}
destinations-failed = Le dernier essai manqué, il y a { $ago } :
destinations-taken = il y a { $ago }
destinations-field-window = à la fois
destinations-window = { $running } en cours sur { $window } gagnées ; { $most } au plus
destinations-field-taken = dernier message pris
destinations-field-hosts = serveurs
destinations-used = { $used } dans la dernière minute ; { $limit } au plus
destinations-shared = Partagé par tout ce qui va à { $rule }
destinations-why-slowed = Pourquoi elle reçoit moins
destinations-why-down = Pourquoi on la laisse en paix
destinations-why-failed = Le dernier essai manqué
destinations-orders = Ordres en vigueur
destinations-count = { $count ->
    [0] Aucune destination n’est connue : rien n’attend, et rien n’a été envoyé dans les dix dernières minutes.
    [one] { $count } destination
   *[other] { $count } destinations
}
destinations-nobody = aucune destination « { $target } » n’est connue
destinations-nobody-hint = « facteur destinations list » montre celles qui le sont : avec du courrier en attente, ou jointes dans les dix dernières minutes
destinations-bad-target = « { $target } » ne désigne aucune destination
destinations-bad-target-hint = donnez un domaine, *.domaine, *, mx:motif, ou un nom que montre « facteur destinations list »
destinations-bad-limits = ces limites n’ont pas de sens
destinations-bad-limits-hint = donnez CLÉ=VALEUR avec les clés de [[destination]], par exemple messages_per_minute=20
destinations-no-order = il n’y a pas de tel ordre pour « { $target } »
destinations-no-order-hint = « facteur destinations list » montre les ordres en vigueur ; un ordre prend fin sous le nom avec lequel il a été donné
destinations-too-many-orders = il y a déjà { $limit } ordres, et il n’en est pas gardé davantage
destinations-not-kept = l’ordre ne peut être gardé dans { $path } et n’est pas donné : { $words }
serve-bad-orders = { $path } ne contient pas d’ordres que l’on puisse comprendre
serve-bad-orders-hint = déplacez le fichier pour démarrer sans les ordres d’avant
serve-no-orders = impossible de lire { $path } : { $words }
cli-help-destinations = Comment vont les destinations et pourquoi elles sont lentes ; suspendre, reprendre, limiter
cli-help-destinations-list = Toutes celles qui ont du courrier, ou en ont eu dans les dix dernières minutes
cli-help-destinations-show = Tout sur une seule
cli-help-destinations-pause = N’y rien envoyer ; son courrier attend sans être essayé
cli-help-destinations-resume = Mettre fin à une suspension
cli-help-destinations-limit = S’en tenir à d’autres limites que celles de la configuration
cli-help-destinations-target = Un domaine, *.domaine, *, mx:MOTIF, ou le nom d’une destination
cli-help-destinations-limits = Des limites, avec les clés de [[destination]]
cli-help-destinations-reset = S’en tenir de nouveau aux limites de la configuration
cli-help-destinations-for = Combien de temps il vaut : 90s, 30m, 2h, 5d (jusqu’à ce qu’on y mette fin)
cli-help-destinations-reason = Pourquoi, pour qui le verra
cli-help-destinations-most = Combien sont montrées au plus (100)

## facteur send

send-trying = Tentative vers { $place }…
send-connected = Connecté à { $place }.
send-no-connection = aucun serveur n’a pu être joint : { $words }
send-no-connection-hint = le serveur tourne-t-il, et est-ce le bon port ? « facteur check DOMAINE » montre quels serveurs prennent son courrier
send-bad-server = « { $server } » n’est pas un serveur : donnez hôte, hôte:port ou un chemin
send-bad-address = « { $address } » n’est pas une adresse
send-closed = le serveur a fermé la connexion sans répondre (à l’étape { $stage })
send-timed-out = pas de réponse en { $words } secondes (à l’étape { $stage })
send-lost = la connexion a été perdue à l’étape { $stage } : { $words }
send-not-a-reply = ce que le serveur a envoyé n’est pas une réponse SMTP : { $words }
send-more-lines = … { $count ->
    [one] encore une ligne
   *[other] encore { $count } lignes
}
send-verdict-sent = Le serveur a pris le message en charge pour tous les destinataires.
send-verdict-refused = Tout n’a pas été accepté ; les explications figurent ci-dessus.
send-verdict-stopped = Arrêté à l’étape demandée ; rien n’a été envoyé.

## facteur check

check-bad-subject = « { $subject } » n’est ni un domaine ni une adresse
check-no-resolver = impossible d’interroger le DNS : { $words }
check-hosts = { $count ->
    [one] { $host } reçoit du courrier. Son serveur :
   *[other] { $host } reçoit du courrier. Ses serveurs, dans l’ordre des tentatives :
}
check-implicit-mx = { $host } n’a pas d’enregistrement MX ; le courrier va à l’adresse du domaine lui-même (MX implicite) :
check-null-mx = { $host } ne reçoit pas de courrier, et l’annonce dans le DNS (MX nul).
check-no-such-domain = { $host } n’existe pas dans le DNS.
check-unroutable = { $host } n’a rien dans le DNS à quoi l’on puisse envoyer du courrier.
check-routes-to-us = Le courrier pour { $host } reviendrait à ce serveur même.
check-try-later = Le DNS ne donne pour l’instant aucune réponse fiable sur { $host }.

finding-malformed-null-mx = MX nul mal formé : un enregistrement MX « . » côtoie d’autres MX. La RFC 7505 ne l’admet que seul. Il est ignoré ; l’administrateur du domaine devrait supprimer l’un ou les autres.
finding-null-mx-preference = Le MX nul porte la préférence { $value } au lieu de 0. Il est respecté malgré tout.
finding-mx-is-address = Un enregistrement MX pointe vers l’adresse IP { $name }. Il doit pointer vers un nom ; cet enregistrement est inutilisable.
finding-unusable-mx = Un enregistrement MX pointe vers « { $name } », qui ne peut être le nom d’aucun hôte.
finding-mx-is-alias = Le MX { $name } est un alias (CNAME) de { $value }. La RFC 2181 l’interdit ; cela fonctionne ici, mais pas partout.
finding-mx-does-not-exist = Le MX { $name } n’existe pas dans le DNS.
finding-mx-without-address = Le MX { $name } n’a pas d’adresse.
finding-mx-lookup-failed = Les adresses du MX { $name } n’ont pas pu être obtenues ({ $value }).
finding-mx-name-refused = Le MX { $name } n’est jamais utilisé ({ $value }).
finding-mx-address-refused = Le MX { $name } a l’adresse { $value }, à laquelle aucun courrier n’est jamais envoyé.
finding-too-many-mx = Il y a plus de serveurs MX qu’on n’en essaie jamais ; { $value } sont laissés de côté.

## facteur queue and trace

duration-seconds = { $count ->
    [one] { $count } seconde
   *[other] { $count } secondes
}
duration-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
duration-hours = { $count ->
    [one] { $count } heure
   *[other] { $count } heures
}
duration-days = { $count ->
    [one] { $count } jour
   *[other] { $count } jours
}
decimal-mark = ,
size-octets = { $number } octets
size-kib = { $number } Kio
size-mib = { $number } Mio
size-gib = { $number } Gio
queue-count = { $count ->
    [0] La file d’attente est vide.
    [one] Un message est en file d’attente.
   *[other] { $count } messages sont en file d’attente.
}
queue-count-fit = { $count ->
    [0] Aucun message en file d’attente n’y répond.
    [one] Un message en file d’attente y répond.
   *[other] { $count } messages en file d’attente y répondent.
}
queue-count-first = { $count ->
    [one] Ce n’est que le premier ; il y en a d’autres.
   *[other] Ce ne sont que les { $count } premiers ; il y en a d’autres.
}
queue-line = { $id }  { $size }  depuis { $age }  de { $sender }
queue-recipient = { $recipient } : { $state }
queue-bad-id = « { $id } » n’est pas un identifiant de file : il compte 13 lettres et chiffres
queue-bad-domain = « { $text } » n’est pas un domaine
queue-bad-reply = « { $text } » n’est pas un code : donnez un code de base comme 450 ou un code étendu comme 4.7.1
queue-bad-category = « { $text } » n’est pas un sujet de réponse
queue-act-which = cela toucherait toute la file d’attente
queue-act-which-hint = donnez des identifiants ou des filtres ; --all s’il s’agit de tous les messages
queue-act-too-many = plus de { $limit } identifiants à la fois
queue-act-directly = Aucun serveur en marche : la commande agit sur le spool { $path } lui-même. Ce qui devient dû est essayé, et les avis partent, une fois le serveur démarré.
queue-act-busy = { $id } : remise en cours en ce moment ; laissé tel quel
queue-act-gone = { $id } : absent de la file d’attente
queue-act-failed = { $id } : { $words }
queue-act-unchanged = { $id } : rien à faire
queue-act-more = { $count ->
    [one] et un autre destinataire
   *[other] et { $count } autres destinataires
}
deed-held = { $mode ->
    [would] serait retenu jusqu’à ce qu’on le libère
   *[done] retenu jusqu’à ce qu’on le libère
}
deed-held-until = { $mode ->
    [would] serait retenu jusqu’au { $date }
   *[done] retenu jusqu’au { $date }
}
deed-released = { $mode ->
    [would] serait libéré et essayé aussitôt
   *[done] libéré, essayé aussitôt
}
deed-due = { $mode ->
    [would] serait essayé aussitôt
   *[done] essayé aussitôt
}
deed-bounced = { $mode ->
    [would] serait abandonné ; l’expéditeur recevrait un avis
   *[done] abandonné ; l’expéditeur reçoit un avis
}
deed-bounced-unreported = { $mode ->
    [would] serait abandonné ; personne ne recevrait d’avis, car il n’est pas voulu ou il n’y a pas d’expéditeur
   *[done] abandonné ; personne ne reçoit d’avis, car il n’est pas voulu ou il n’y a pas d’expéditeur
}
deed-deleted = { $mode ->
    [would] serait supprimé ; personne ne serait prévenu
   *[done] supprimé ; personne n’est prévenu
}
deed-not-held = pas retenu, laissé tel quel
deed-still-held = retenu, laissé tel quel ; libérez-le d’abord
queue-total-would = { $count ->
    [0] Aucun message ne serait modifié.
    [one] Un message serait modifié. C’était un essai à blanc : rien n’a été fait.
   *[other] { $count } messages seraient modifiés. C’était un essai à blanc : rien n’a été fait.
}
queue-total-done = { $count ->
    [0] Aucun message n’a été modifié.
    [one] Un message a été modifié.
   *[other] { $count } messages ont été modifiés.
}
queue-total-recipients = { $count ->
    [one] Soit un destinataire.
   *[other] Soit { $count } destinataires.
}
queue-total-busy = { $count ->
    [one] Un message était en cours de remise et n’a pas été touché. Redonnez la commande dans un moment.
   *[other] { $count } messages étaient en cours de remise et n’ont pas été touchés. Redonnez la commande dans un moment.
}
summary-total = total
summary-age-0 = <5 min
summary-age-1 = <1 h
summary-age-2 = <6 h
summary-age-3 = <1 j
summary-age-4 = plus
summary-held = retenu
summary-domain = domaine
summary-reply = dernière réponse
summary-others = tous les autres
summary-not-tried = pas encore essayé
queue-not-there = aucun message « { $what } » dans la file d’attente
queue-not-there-hint = un message quitte la file quand chaque destinataire est servi ou abandonné ; « facteur trace » dit ce qu’il est devenu
message-sender = Expéditeur
message-size = Taille
message-arrival = Arrivée
message-client = Reçu de
message-client-self = ce serveur lui-même (un avis)
message-arrived = { $date }, il y a { $age }
state-new = nouveau, la première tentative est imminente
state-due = une nouvelle tentative est imminente ({ $count ->
    [one] { $count } tentative jusqu’ici
   *[other] { $count } tentatives jusqu’ici
})
state-waiting = en attente ; prochaine tentative dans { $wait }, à { $date } ({ $count ->
    [one] { $count } tentative jusqu’ici
   *[other] { $count } tentatives jusqu’ici
})
state-held = retenu ({ $count ->
    [0] aucune tentative
    [one] une tentative
   *[other] { $count } tentatives
})
state-held-until = retenu jusqu’au { $date } ({ $count ->
    [0] aucune tentative
    [one] une tentative
   *[other] { $count } tentatives
})
state-hold-over = la retenue est finie, une tentative est imminente
hold-by = Retenu par { $by } depuis le { $date }.
hold-by-because = Retenu par { $by } depuis le { $date } : { $reason }
state-delivered = remis
state-delivered-report-owed = remis ; l’avis à l’expéditeur est en route
state-failed = abandonné
state-failed-report-owed = abandonné ; l’avis à l’expéditeur est en route
reason-new = Aucune tentative n’a encore eu lieu.
reason-backoff = { $count ->
    [one] Après un premier échec, c’est le délai configuré qui court.
   *[other] Après { $count } échecs, c’est le délai configuré qui court.
}
reason-destination-down = Un autre message vient de trouver le serveur de destination muet ; celui-ci attend avec lui.
reason-interrupted = Le serveur s’est arrêté au milieu d’une tentative. Le message arrivera peut-être deux fois : nul ne peut savoir si cette tentative avait abouti.
reason-operator = Un administrateur a demandé cette tentative.
attempt-peer-said = Dernière tentative il y a { $ago } ({ $date }) ; à l’étape « { $stage } », { $host } a répondu :
attempt-we-said-at-host = Dernière tentative il y a { $ago } ({ $date }), avec { $host }, à l’étape « { $stage } » ; verdict de ce serveur :
attempt-we-said = Dernière tentative il y a { $ago } ({ $date }), à l’étape « { $stage } » ; verdict de ce serveur :
attempt-stage-route = résolution DNS
attempt-stage-connect = connexion
attempt-stage-greeting = connexion
attempt-stage-hello = EHLO
attempt-stage-starttls = STARTTLS
attempt-stage-auth = AUTH
attempt-stage-mail = MAIL
attempt-stage-rcpt = RCPT
attempt-stage-data = DATA
attempt-stage-end-of-data = point final
attempt-stage-mailbox = boîte aux lettres
attempt-stage-queue = file d’attente

## facteur trace

trace-not-known = ni la file d’attente ni l’historique ne connaissent « { $what } »
trace-not-known-hint = l’historique commence le { $date } ; donnez l’adresse entière, et un Message-ID sans ce qui l’entoure
trace-history-off = Aucun historique n’est tenu ici ([history] enabled = false) : seul ce qui attend encore peut être raconté.
trace-history-missing = Il n’y a pas encore d’historique : seul ce qui attend encore peut être raconté.
trace-history-unreadable = L’historique ne peut être lu ({ $words }) : seul ce qui attend encore peut être raconté. Si son fichier est abîmé, le serveur le met de côté et en commence un autre.
trace-history-trouble = Une partie de l’historique ne peut être lue : { $words }.
trace-older = L’historique commence le { $date }, après ce message : ce qui précède est raconté d’après la file d’attente.
trace-gap-too-much = Entre { $from } et { $to }, il s’est passé plus de choses que l’historique ne pouvait en prendre : { $count } événements manquent, et ce message en est peut-être.
trace-gap-failure = Entre { $from } et { $to }, l’historique n’a pu être écrit : { $count } événements manquent, et ce message en est peut-être.
trace-gap-disk-low = Entre { $from } et { $to }, le disque était presque plein et l’historique n’a pas été écrit : { $count } événements manquent, et ce message en est peut-être.
trace-gap-refusals = Entre { $from } et { $to }, il y a eu plus de refus qu’il n’en est conservé : { $count } manquent.
trace-cut = Il est arrivé à ce message plus de choses qu’il n’en est montré ici.
trace-more = Il y en a d’autres ; voici les { $count } derniers.
trace-message-id = Message-ID
trace-recipient = Destinataire
trace-accepted = { $date } : accepté, pour { $count ->
    [one] un destinataire
   *[other] { $count } destinataires
}
trace-recipient-alias = { $address }, que l’expéditeur connaît comme { $alias }
trace-more-recipients = … { $count ->
    [one] et un autre
   *[other] et { $count } autres
}
trace-tried = { $date } : tentative vers { $destination }
trace-waited = { $date } : aucune tentative vers { $destination }, qui venait de rester muet pour un autre message
trace-route-mx = Où : { $name } n’est pas local ici et aucun [[route]] ne le concerne ; ses enregistrements MX décident.
trace-route-literal = Où : l’adresse { $name } figure dans celle du destinataire.
trace-route-rule = Où : [[route]] avec match = "{ $name }" l’envoie à { $hop }.
trace-route-deliver = Où : { $name } est un domaine local dont le courrier va à { $hop }.
trace-route-maildir = Où : { $name } est un domaine local dont le courrier va dans des boîtes aux lettres de cette machine.
trace-mx-found = Le DNS a répondu (valable encore { $ttl }) :
trace-mx-none = Le DNS a répondu : le domaine n’a pas d’enregistrement MX.
trace-mx-no-domain = Le DNS a répondu : le domaine n’existe pas.
trace-mx-failed = Le DNS n’a donné aucune réponse fiable ({ $failure }).
trace-hosts = { $count ->
    [one] À essayer :
   *[other] À essayer, dans cet ordre :
}
trace-hosts-implicit = À essayer, faute de MX, le domaine lui-même (MX implicite) :
trace-connecting = Connexion à { $place }
trace-reusing = Suite sur une connexion à { $place } qui avait servi à d’autres messages
trace-content = { $count ->
    [one] un octet de contenu
   *[other] { $count } octets de contenu
}
trace-delivered-mailbox = { $recipient } : remis dans la boîte aux lettres
trace-delivered-handed-on = { $recipient } : confié à { $host }, qui enverra les avis demandés
trace-delivered-relayed = { $recipient } : confié à { $host }
trace-retry = { $recipient } : nouvel essai à { $when }, car ce qui a été dit n’est pas définitif (essai { $count })
trace-retry-destination-down = { $recipient } : nouvel essai à { $when }, car la destination est restée muette pour un autre message (essai { $count })
trace-retry-operator = { $recipient } : nouvel essai à { $when }, car un administrateur l’a demandé (essai { $count })
trace-bounced = { $recipient } : abandonné, car ce qui a été dit est définitif (essai { $count })
trace-expired = { $recipient } : abandonné, car les essais ont duré aussi longtemps que le veut give_up_after (essai { $count })
trace-peer-said = { $host } a répondu, à l’étape « { $stage } » :
trace-we-said-at-host = Verdict de ce serveur, avec { $host }, à l’étape « { $stage } » :
trace-we-said = Verdict de ce serveur, à l’étape « { $stage } » :
trace-reported = { $date } : avis { $id } mis en file, pour { $to }
trace-told-failed = { $recipient } : la remise a échoué
trace-told-delayed = { $recipient } : en retard
trace-told-delivered = { $recipient } : remis
trace-told-relayed = { $recipient } : confié à un autre serveur
trace-told-expanded = { $recipient } : envoyé aux membres d’une liste
trace-report-about = { $date } : c’est un avis au sujet du message { $id }
trace-not-reported-null-mx = { $date } : aucun avis n’est envoyé, car le domaine de l’expéditeur ne reçoit pas de courrier (MX nul)
trace-deed-hold = { $date } : retenu par { $who }
trace-deed-release = { $date } : libéré par { $who }
trace-deed-retry = { $date } : { $who } a demandé une tentative
trace-deed-bounce = { $date } : abandonné par { $who }
trace-deed-delete = { $date } : supprimé par { $who } ; personne n’est prévenu
trace-deed-reroute = { $date } : envoyé par une autre voie par { $who }
trace-deed-why = Raison : { $words }
trace-deed-until = Jusqu’au : { $date }
trace-ended = { $date } : sorti de la file d’attente ; il ne reste rien à faire
trace-standing = En ce moment, dans la file d’attente :
trace-gone = Le message n’est plus dans la file d’attente ; on ne sait quand il en est sorti.
trace-refused = { $date } : { $client } a essuyé un refus, à l’étape « { $stage } »

## facteur spool

spool-none = il n’y a pas de spool dans { $path }
spool-none-hint = donnez --config ou --data-dir comme pour « facteur serve »
spool-cannot-read = impossible de lire le spool dans { $path } : { $words }
spool-whole = { $count ->
    [0] Le spool est intact ; aucun message en attente.
    [one] Le spool est intact ; un message en attente.
   *[other] Le spool est intact ; { $count } messages en attente.
}
spool-damaged = { $count ->
    [one] Un enregistrement est abîmé :
   *[other] { $count } enregistrements sont abîmés :
}
spool-exported = { $count ->
    [0] Aucun message à écrire dans { $path }.
    [one] Un message écrit dans { $path }.
   *[other] { $count } messages écrits dans { $path }.
}
spool-cannot-export = impossible d’écrire { $path } : { $words }
cli-heading-commands = Commandes
cli-heading-options = Options
cli-heading-arguments = Arguments
cli-placeholder-command = COMMANDE
config-label-error = erreur{"\u00A0"}
config-label-hint = conseil{"\u00A0"}

## facteur serve

serve-no-runtime = le serveur ne peut pas démarrer : { $words }
serve-no-database = un fichier du répertoire de données est inutilisable : { $words }
serve-no-authorities = impossible de vérifier un webhook en https : { $words }
serve-no-spool = le spool est inutilisable : { $words }
serve-no-data-directory = impossible de créer le répertoire de données { $path } : { $words }
serve-cannot-listen = impossible d’écouter sur { $address } : { $words }
config-alias-loop = l’alias { $address } revient à son point de départ, ou mène à trop d’adresses
config-no-postmaster = personne ne recevrait le courrier de postmaster
config-no-postmaster-hint = ajoutez postmaster = "user@example.org" ; la RFC 5321 veut un postmaster sur chaque serveur

serve-no-control = la socket de commande { $path } ne peut pas être créée : { $words }
serve-no-control-hint = ce nom est peut-être déjà pris ; un chemin de plus d’une centaine d’octets est trop long pour une socket

## The server that runs

control-nobody-there = aucun serveur en marche ici : personne n’écoute sur { $path }
control-nobody-there-hint = donnez --config ou --data-dir comme pour « facteur serve », ou démarrez-le
control-forbidden = la socket de commande { $path } vous est interdite
control-forbidden-hint = seuls root et l’utilisateur sous lequel tourne le serveur peuvent le commander
control-not-yours = le serveur ne fait rien pour l’utilisateur { $uid }
control-busy = le serveur exécute déjà autant de commandes qu’il en accepte à la fois
control-too-long = la demande dépasse { $limit } octets
control-too-long-hint = nommez moins de messages à la fois, ou utilisez des filtres
control-foreign = le serveur en marche et cette commande ne se comprennent pas
control-foreign-hint = leurs versions diffèrent probablement : redémarrez le serveur après une mise à jour
control-lost = le serveur a mis fin à l’échange avant d’avoir répondu ; son journal dit peut-être pourquoi
control-silent = le serveur ne répond pas
control-spool-failed = le spool ne peut être écrit ; ce qui a été annoncé comme fait est fait
control-stopping = le serveur s’arrête ; ce qui a été annoncé comme fait est fait
control-system = la socket de commande { $path } est inutilisable : { $words }

## facteur status

status-title = { $hostname } est en marche
status-version = Version
status-process = Processus
status-process-user = { $pid }, utilisateur { $user }
status-confinement = Confinement
status-confined = à ses dossiers et à ses ports (Landlock { $version })
status-confined-to-folders = à ses dossiers, pas à ses ports (Landlock { $version })
status-confinement-unsupported = aucun : ce noyau n’a pas Landlock
status-confinement-off = aucun : désactivé dans [process]
status-started = Démarré
status-since = { $date }, il y a { $uptime }
status-queued = Messages en file d’attente
status-sessions = Sessions ouvertes
status-spool = Spool
status-spool-well = accepte les écritures
status-spool-refusing = { $path } ne peut pas être écrit : { $words } ; le nouveau courrier est différé

## Failures

history-error-file = { $path } : { $words }
history-error-version = { $path } est de la version { $found }, que cette version de Facteur ne connaît pas
history-error-damaged = ce qui est conservé du message { $id } est abîmé
spool-error-full = il reste trop peu de place : { $free } octets libres pour { $wanted } demandés
spool-error-write = impossible d’écrire { $path } : { $words }
spool-error-read = impossible de lire { $path } : { $words }
spool-error-damaged = le message { $id } est abîmé, dans { $path } à l’octet { $offset }
spool-error-gone = le message { $id } n’est plus dans la file d’attente
spool-error-leased = le message { $id } est en cours de traitement
spool-error-owned-by = il appartient au processus { $pid } ({ $path })
spool-error-owned = il appartient à un autre processus ({ $path })
spool-error-not-a-directory = { $path } n’est pas un répertoire
spool-error-others-may-write = d’autres peuvent écrire dans { $path } ; ses droits doivent être 0700
spool-error-another-owner = { $path } appartient à un autre utilisateur
spool-error-version = { $path } est au format { $found }, que cette version de Facteur ne sait pas lire
spool-error-too-large = l’enveloppe demande { $octets } octets, et { $limit } au plus peuvent être conservés
spool-error-closed = le spool est fermé
resolver-error-unreadable = impossible de lire { $path } : { $words }
resolver-error-no-servers = { $path } ne nomme aucun serveur utilisable

## Secrets

secret-unreadable = impossible de lire le secret de { $path } : { $words }
secret-unreadable-hint = le fichier doit appartenir à l’utilisateur du serveur : changez son propriétaire avec chown, puis faites chmod 600 { $path }
secret-not-a-file = { $path } n’est pas un fichier qui contient un secret
secret-not-a-file-hint = un secret tient sur une ligne, dans un fichier à lui
secret-exposed = le secret de { $path } est ouvert à d’autres : ses permissions sont { $mode }
secret-exposed-hint = faites chmod 600 { $path }, et remplacez le secret si d’autres ont pu le lire
secret-another-owner = le secret de { $path } appartient à un autre utilisateur, numéro { $uid }, qui pourrait le changer
secret-another-owner-hint = le propriétaire doit être root ou l’utilisateur du serveur
secret-too-large = { $path } est trop grand pour un secret : { $limit } octets au plus
secret-empty = le secret de { $path } est vide
secret-empty-hint = écrivez-en un, par exemple avec : openssl rand -hex 32 > { $path }

## Le processus : utilisateur, privilèges, confinement

service-ready = { $hostname } sert sur { $places }
service-status = en file d’attente : { $queued }, sessions : { $sessions }
service-stopping = s’arrête : les sessions et les remises en cours peuvent finir
process-no-user = il n’y a pas d’utilisateur « { $name } » sur cette machine
process-no-user-hint = créez-le : useradd --system --no-create-home --shell /usr/sbin/nologin { $name }
process-no-group = il n’y a pas de groupe « { $name } » sur cette machine
process-no-group-hint = créez-le avec groupadd --system { $name }, ou retirez « group » : ce sera le groupe de l’utilisateur
process-group-alone = [process] nomme le groupe « { $name } », mais pas d’utilisateur
process-group-alone-hint = ajoutez user = "…" : le groupe est celui de cet utilisateur
process-not-root = le serveur ne peut pas devenir l’utilisateur « { $user } » : seul root le peut, et il a été lancé par l’utilisateur numéro { $uid }
process-not-root-hint = lancez-le comme root ou comme { $user }, ou retirez « user » de [process]
process-cannot-drop = impossible d’abandonner les privilèges de root : { $words }
process-cannot-drop-hint = le serveur ne tourne pas avec plus de droits qu’on ne lui en donne ; lancez-le comme l’utilisateur lui-même
process-cannot-chown = impossible de donner la socket { $path } à l’utilisateur du serveur : { $words }
process-another-owner = { $path } appartient à l’utilisateur numéro { $uid }, mais le serveur doit tourner comme « { $user } »
process-another-owner-hint = donnez-le-lui, avec tout ce qu’il contient : chown -R { $owner } { $path }
process-no-mail-folder = impossible de créer le dossier { $path }, où se trouvent les Maildirs : { $words }
process-mail-in-root = des Maildirs directement sous / ouvriraient au serveur tous les dossiers de la machine
process-mail-in-root-hint = déplacez-les, par exemple vers "maildir:/var/mail/{"{"}user{"}"}", ou mettez confine = false dans [process]
process-cannot-read = impossible d’ouvrir { $path }, et donc d’y confiner le serveur : { $words }
process-cannot-confine = le noyau ne peut pas confiner le serveur : { $words }
process-cannot-confine-hint = avec confine = false dans [process], il tourne sans confinement

## La console, par HTTP

console-problem-no-token = Un message n’est accepté que du porteur d’un jeton : envoyez `Authorization: Bearer JETON`.
console-problem-wrong-token = Ce jeton n’est pas connu ici.
console-problem-bad-key = Une clé d’idempotence est un texte de 1 à { $limit } octets.
console-problem-key-reused = Cette clé d’idempotence appartient à une autre requête ; un nouveau message demande une nouvelle clé.
console-problem-under-way = La première requête qui porte cette clé d’idempotence est encore en cours.
console-problem-no-keys = Les clés d’idempotence ne peuvent pas être conservées pour l’instant ; rien n’a été envoyé.
console-problem-wrong-type = Un message s’envoie en `application/json` ou en `message/rfc822`.
console-problem-too-large = Le message dépasse { $limit }.
console-problem-busy = Les messages en cours d’arrivée occupent toute la mémoire prévue pour eux ; réessayez dans un instant.
console-problem-cut-off = La requête s’est interrompue avant la fin de son message.
console-problem-too-slow = La requête a pris trop de temps.
console-problem-bad-json = Le message ne peut être lu : { $words }
console-problem-bad-address = « { $text } », dans `{ $field }`, n’est pas une adresse.
console-problem-missing = Il manque `{ $field }`.
console-problem-too-many-recipients = Une requête a au plus { $limit } destinataires.
console-problem-bad-header = Le champ d’en-tête `{ $name }` ne peut être fixé, ou sa valeur ne tient pas sur une ligne de texte.
console-problem-bad-attachment = Le contenu de la pièce jointe « { $name } » n’est pas du base64.
console-problem-refused = Le message est refusé définitivement.
console-problem-refused-for-now = Le message est refusé temporairement ; réessayez plus tard.
console-problem-no-recipient = On ne peut écrire à aucun des destinataires.
console-problem-no-recipient-for-now = On ne peut écrire pour l’instant à aucun des destinataires ; réessayez plus tard.
console-problem-wrong-host = Ce serveur ne s’appelle pas { $host } ; si c’est bien son nom, ajoutez-le à `[console] hosts`.
console-problem-foreign-origin = Une page de { $origin } n’a pas le droit de se servir de ce serveur.
console-problem-not-found = Il n’y a rien ici.
console-problem-wrong-method = Cela ne peut se faire ici.

trouble-spool-full = Le disque manque de place : le courrier entrant est remis à plus tard (452) jusqu’à ce qu’il y en ait.
trouble-spool-cannot-write = La file d’attente ne peut être écrite : le courrier entrant est remis à plus tard (451), et rien n’est distribué.
trouble-stopping = Le serveur a reçu l’ordre de s’arrêter.

## facteur selftest

cli-help-selftest = Montrer sur cette machine que le serveur tient ses promesses
selftest-passed = réussi  { $words }
selftest-failed = ÉCHEC   { $words }
selftest-got = à la place : { $got }
selftest-all-passed = { $checks } vérifications, toutes réussies.
selftest-some-failed = { $checks } vérifications, dont { $failed } en échec.
selftest-no-folder = les vérifications ont besoin d’un dossier dans { $folder }, qui ne peut être créé : { $words }
selftest-no-folder-hint = lancez-les comme l’utilisateur du serveur, ou comme root
selftest-no-server = le serveur des vérifications ne peut pas démarrer : { $words }
selftest-no-landlock = ce noyau n’a pas Landlock, ou en a une version trop ancienne
selftest-possible = c’était possible
selftest-started = ÉCHEC   Un programme a été lancé depuis un fil d’exécution confiné : c’est celui-ci
selftest-replies-registered = { $count } réponses : chaque code est celui d’une RFC ou d’un registre
selftest-replies-classes = { $count } réponses : chaque code étendu a la classe de son code de base, et un 3yz n’en a pas
selftest-replies-explained = { $count } réponses : chacune est expliquée en « { $language } »
selftest-mx-null = MX { $records } : le domaine n’accepte pas de courrier
selftest-mx-host = MX { $records } : le courrier va à mx, et le MX nul est signalé comme mal formé
selftest-mx-loopback = MX { $records } : aucun courrier ne va à la boucle locale de cette machine
selftest-mx-loopback-allowed = MX { $records } : le courrier y va, comme le veut delivery.allow_loopback_mx
selftest-null-mx-at-rcpt = un destinataire dont le domaine a un MX nul est refusé à RCPT par { $reply }
selftest-null-mx-at-mail = un expéditeur dont le domaine a un MX nul est refusé à MAIL par { $reply }
selftest-smuggling = { $sequence } dans un message n’y met pas fin
selftest-smuggling-normalised = { $sequence } dans un message n’y met pas fin (normalise_newlines)
selftest-empty-message = un point seul après 354 met fin à un message vide
selftest-relaying = un inconnu n’atteint personne ailleurs, sous { $forms } formes
selftest-durability = un message de { $size } est sur disque avant que son reçu soit donné
selftest-confined-write = un fil confiné ne peut écrire hors de son dossier
selftest-confined-connect = un fil confiné ne peut se connecter à un port qu’on ne lui a pas donné
selftest-confined-listen = un fil confiné ne peut écouter sur un port qu’on ne lui a pas donné
selftest-confined-execute = un fil confiné ne peut lancer aucun programme
## Sous le nom de sendmail

sendmail-no-value = { $letter } demande une valeur
sendmail-unknown-letter = il n’y a pas d’option { $letter }
sendmail-unknown-mode = -b{ $value } n’est pas disponible ; -bm, -bs, -bp et -bi le sont
sendmail-no-runner = { $letter } avec un intervalle n’est pas disponible
sendmail-no-runner-hint = le serveur parcourt sa file lui-même ; -q seul essaie tout maintenant
sendmail-no-recipients = aucun destinataire n’est nommé
sendmail-no-recipients-in-header = ni la ligne de commande ni To, Cc et Bcc ne nomment de destinataire
sendmail-too-many = plus de { $limit } destinataires
sendmail-too-large = le message dépasse { $limit }
sendmail-cannot-read = le message ne peut être lu : { $words }
sendmail-no-listener = le serveur configuré n’a pas de point d’écoute SMTP
sendmail-no-server = le serveur de courrier de cette machine est injoignable : { $words }
sendmail-no-server-hint = est-il en marche ? FACTEUR_CONFIG nomme sa configuration, sinon /etc/facteur/facteur.toml
sendmail-lost = la conversation avec le serveur de courrier s’est interrompue : { $words }
sendmail-lost-hint = rien ne dit si le message a été pris
sendmail-refused = le serveur de courrier refuse le message : { $said }
sendmail-refused-recipient = le serveur de courrier refuse { $address } : { $said }
sendmail-nobody-got-it = le message n’a été envoyé à personne

## facteur man

man-name = NOM
man-synopsis = SYNOPSIS
man-description = DESCRIPTION
man-options = OPTIONS
man-subcommands = COMMANDES
man-version = VERSION
man-see-also = VOIR AUSSI
man-toml-top = Le fichier lui-même
man-toml-description = Un seul fichier TOML. Chaque clé a une valeur par défaut ; seul ce qui en diffère doit être écrit. Une durée est un nombre entier et une unité, `s`, `m`, `h` ou `d` ; une taille est un nombre d’octets, ou un texte avec `KiB`, `MiB` ou `GiB`. `facteur config check` montre ce qui est fautif dans un fichier.
man-written = { $count } pages écrites dans { $path }.
man-cannot-write = impossible d’écrire { $path } : { $words }
