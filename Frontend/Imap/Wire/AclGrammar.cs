using System.Text;
using MailCluster.Contracts;

namespace MailCluster.Imap.Wire;

/// <summary>An identifier of RFC 4314 §2.</summary>
/// <param name="Name">As it was written, without the '-' of a negative one; "anyone" in lower case.</param>
public sealed record AclIdentifier(string Name, bool Negative)
{
    public override string ToString() => Negative ? "-" + Name : Name;
}

/// <summary>The arguments of SETACL.</summary>
/// <param name="Mode">What the '+' or '-' in front of the rights says.</param>
public sealed record SetAclArguments(MailboxArgument Mailbox, AclIdentifier Identifier, StoreMode Mode, MailRights Rights);

/// <summary>The arguments of DELETEACL and LISTRIGHTS.</summary>
public sealed record AclArguments(MailboxArgument Mailbox, AclIdentifier Identifier);

/// <summary>SETACL, DELETEACL, LISTRIGHTS (RFC 4314 §6); GETACL and MYRIGHTS take a mailbox name alone.</summary>
public static class AclGrammar
{
    public static SetAclArguments ParseSet(ref ImapParser parser)
    {
        var mailbox = parser.Mailbox();
        parser.Space();
        var identifier = Identifier(ref parser);
        parser.Space();
        var rights = Encoding.UTF8.GetString(parser.AString("rights"));
        parser.End();
        var mode = rights switch { ['+', ..] => StoreMode.Add, ['-', ..] => StoreMode.Remove, _ => StoreMode.Replace };
        if (MailRightsText.Parse(mode == StoreMode.Replace ? rights : rights[1..]) is not { } parsed)
        {
            throw new ImapSyntaxException("Some of the rights are not known");
        }
        return new(mailbox, identifier, mode, parsed);
    }

    public static AclArguments Parse(ref ImapParser parser)
    {
        var mailbox = parser.Mailbox();
        parser.Space();
        var identifier = Identifier(ref parser);
        parser.End();
        return new(mailbox, identifier);
    }

    static AclIdentifier Identifier(ref ImapParser parser)
    {
        var name = Encoding.UTF8.GetString(parser.AString("an identifier", allow8Bit: true));
        var negative = name.StartsWith('-');
        name = negative ? name[1..] : name;
        if (name.Length == 0 || name.Any(char.IsControl))
        {
            ImapParser.Fail("An identifier is not empty");
        }
        return new(name.Equals(NamedRights.Anyone, StringComparison.OrdinalIgnoreCase) ? NamedRights.Anyone : name, negative);
    }
}
