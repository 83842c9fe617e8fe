# Les textes de l’interface en français. Chaque langue a les mêmes messages et les mêmes valeurs ; la
# compilation et les tests le vérifient. Un message est une phrase ou un libellé entier, jamais un morceau.

## Expliquer une réponse

label-meaning = Ce que cela veut dire
label-when = Quand on la rencontre
label-fix = Que faire
label-retry = Faut-il réessayer ?
label-who-acts = Qui doit agir
label-stages = À quoi elle répond
label-speakers = Qui la donne
label-category = De quoi il s’agit
label-see = Voir aussi
label-rfc = Défini dans
label-basis = D’où vient cette explication

basis-pair = Le code { $code } accompagné de { $enhanced } a un sens bien à lui : le voici.
basis-enhanced = { $code ->
    [none] Voici ce que signifie { $enhanced }.
   *[other] Voici ce que signifie { $enhanced }, plus précis que { $code }.
}
basis-code = { $enhanced ->
    [none] Voici ce que signifie { $code }.
   *[other] Voici ce que signifie { $code } ; { $enhanced } n’y ajoute rien que le catalogue connaisse.
}
basis-subject = Le détail de { $enhanced } n’est pas enregistré ; voici ce que dit son deuxième nombre ({ $key }).
basis-class = { $code ->
    [none] Le catalogue ne connaît pas { $enhanced } ; voici ce que dit son premier chiffre.
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
actor-sending-operator = l’exploitant du serveur d’envoi
actor-recipient = le destinataire
actor-recipient-operator = l’exploitant du serveur du destinataire

retry-yes = Oui, et le serveur d’envoi s’en charge tout seul, plus tard.
retry-no = Non : la réponse restera la même.
retry-after-change = Seulement après avoir changé quelque chose.
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
stage-queue = aucune commande, c’est un verdict de la file d’attente du serveur d’envoi

speaker-receiving-server = le serveur qui reçoit le courrier du destinataire
speaker-relay = un serveur de soumission ou un relais, d’après sa propre recherche
speaker-sending-server = le serveur d’envoi lui-même

category-unknown-user = destinataire inconnu
category-mailbox-disabled = boîte qui ne reçoit pas
category-mailbox-full = boîte pleine
category-null-mx = domaine qui n’accepte pas de courrier (MX nul)
category-reputation = réputation du serveur ou du domaine d’envoi
category-rate-limit = débit d’envoi
category-greylisting = liste grise
category-auth-message = authentification du message (SPF, DKIM, DMARC)
category-auth-login = identification (SMTP AUTH)
category-policy = règle locale
category-content = contenu du message
category-size = taille du message
category-tls-required = chiffrement absent
category-relay-denied = relais refusé
category-sender-invalid = adresse de l’expéditeur
category-dns-rdns = DNS ou DNS inverse
category-protocol = dialogue SMTP
category-system-temporary = ennui passager d’un serveur
category-loop-or-expired = boucle ou message périmé
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
compare-stages-apart = { $a } et { $b } ne peuvent jamais répondre à la même commande. { $a } répond à ceci : { $left }. { $b } répond à ceci : { $right }.
compare-stages-shared = { $a } et { $b } peuvent répondre toutes deux à la même chose : { $shared }.
compare-class-same = { $class ->
    [success] { $a } et { $b } annoncent toutes deux une réussite.
    [intermediate] { $a } et { $b } invitent toutes deux le client à poursuivre ; aucune n’est un verdict.
    [transient] { $a } et { $b } sont toutes deux des refus provisoires.
    [permanent] { $a } et { $b } sont toutes deux des refus définitifs.
   *[unknown] Ni { $a } ni { $b } n’est une réponse SMTP.
}
compare-class-apart = { $left ->
    [success] { $a } annonce une réussite
    [intermediate] { $a } invite le client à poursuivre
    [transient] { $a } est un refus provisoire
    [permanent] { $a } est un refus définitif
   *[unknown] { $a } n’est pas une réponse SMTP
} ; { $right ->
    [success] { $b } annonce une réussite.
    [intermediate] { $b } invite le client à poursuivre.
    [transient] { $b } est un refus provisoire.
    [permanent] { $b } est un refus définitif.
   *[unknown] { $b } n’est pas une réponse SMTP.
}
compare-speakers-same = { $a } et { $b } viennent de la même voix : { $both }.
compare-speakers-apart = Les voix diffèrent. Derrière { $a } : { $left }. Derrière { $b } : { $right }.
compare-retry-same = { $both ->
    [yes] Après { $a } comme après { $b }, le serveur d’envoi réessaie tout seul.
    [no] Réessayer ne sert à rien, ni après { $a } ni après { $b }.
    [after-change] Après { $a } comme après { $b }, réessayer ne sert qu’une fois quelque chose changé.
    [none-needed] Ni { $a } ni { $b } ne laissent rien à refaire.
   *[continue] Après { $a } comme après { $b }, l’échange continue.
}
compare-retry-apart = { $left ->
    [yes] Après { $a }, le serveur d’envoi réessaie tout seul
    [no] Après { $a }, réessayer ne sert à rien
    [after-change] Après { $a }, réessayer ne sert qu’une fois quelque chose changé
    [none-needed] Après { $a }, il n’y a rien à refaire
   *[continue] Après { $a }, l’échange continue
} ; { $right ->
    [yes] après { $b }, le serveur d’envoi réessaie tout seul.
    [no] après { $b }, réessayer ne sert à rien.
    [after-change] après { $b }, réessayer ne sert qu’une fois quelque chose changé.
    [none-needed] après { $b }, il n’y a rien à refaire.
   *[continue] après { $b }, l’échange continue.
}
compare-actors-same = C’est aux mêmes d’agir pour { $a } et pour { $b } : { $both }.
compare-actors-apart = Qui doit agir n’est pas le même. Pour { $a } : { $left }. Pour { $b } : { $right }.
compare-category-same = { $a } et { $b } parlent de la même chose : { $both }.
compare-category-apart = Elles parlent de choses différentes. { $a } : { $left }. { $b } : { $right }.
