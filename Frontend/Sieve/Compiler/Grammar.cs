using System.Collections.Frozen;
using MailCluster.Sieve.Commands;
using MailCluster.Sieve.Tests;

namespace MailCluster.Sieve.Compiler;

/// <summary>Every command and test by its name, with the extension it comes from.</summary>
internal static class Grammar
{
    public static readonly FrozenDictionary<string, Rule<Statement>> Commands = new Dictionary<string, Rule<Statement>>
    {
        ["stop"] = new(null, Stop.Make),
        ["keep"] = new(null, Keep.Make),
        ["discard"] = new(null, Discard.Make),
        ["fileinto"] = new("fileinto", FileIntoCommand.Make),
        ["redirect"] = new(null, RedirectCommand.Make, Outgoing: true),
        ["reject"] = new("reject", static a => RejectCommand.Make(a, extended: false)),
        ["ereject"] = new("ereject", static a => RejectCommand.Make(a, extended: true)),
        ["set"] = new("variables", Set.Make),
        ["setflag"] = new("imap4flags", static a => FlagCommand.Make(a, FlagChange.Set)),
        ["addflag"] = new("imap4flags", static a => FlagCommand.Make(a, FlagChange.Add)),
        ["removeflag"] = new("imap4flags", static a => FlagCommand.Make(a, FlagChange.Remove)),
        ["addheader"] = new("editheader", AddHeader.Make),
        ["deleteheader"] = new("editheader", DeleteHeader.Make),
        ["vacation"] = new("vacation", VacationCommand.Make),
        ["notify"] = new("enotify", NotifyCommand.Make),
        ["include"] = new("include", Include.Make),
        ["return"] = new("include", Return.Make),
        ["global"] = new("include", Global.Make),
    }.ToFrozenDictionary();

    public static readonly FrozenDictionary<string, Rule<Test>> Tests = new Dictionary<string, Rule<Test>>
    {
        ["true"] = new(null, static a => Constant.Make(a, true)),
        ["false"] = new(null, static a => Constant.Make(a, false)),
        ["not"] = new(null, Not.Make),
        ["allof"] = new(null, static a => Several.Make(a, all: true)),
        ["anyof"] = new(null, static a => Several.Make(a, all: false)),
        ["header"] = new(null, HeaderTest.Make),
        ["address"] = new(null, AddressTest.Make),
        ["envelope"] = new("envelope", EnvelopeTest.Make),
        ["exists"] = new(null, Exists.Make),
        ["size"] = new(null, SizeTest.Make),
        ["string"] = new("variables", StringTest.Make),
        ["hasflag"] = new("imap4flags", HasFlag.Make),
        ["body"] = new("body", BodyTest.Make),
        ["date"] = new("date", DateTest.Make),
        ["currentdate"] = new("date", CurrentDate.Make),
        ["mailboxexists"] = new("mailbox", MailboxExists.Make),
        ["metadata"] = new("mboxmetadata", static a => MetadataTest.Make(a, server: false)),
        ["metadataexists"] = new("mboxmetadata", static a => MetadataExists.Make(a, server: false)),
        ["servermetadata"] = new("servermetadata", static a => MetadataTest.Make(a, server: true)),
        ["servermetadataexists"] = new("servermetadata", static a => MetadataExists.Make(a, server: true)),
        ["mailboxidexists"] = new("mailboxid", MailboxIdExists.Make),
        ["specialuse_exists"] = new("special-use", SpecialUseExists.Make),
        ["duplicate"] = new("duplicate", DuplicateTest.Make),
        ["environment"] = new("environment", EnvironmentTest.Make),
        ["spamtest"] = new("spamtest", SpamTest.Make),
        ["virustest"] = new("virustest", VirusTest.Make),
        ["valid_notify_method"] = new("enotify", ValidNotifyMethod.Make),
        ["notify_method_capability"] = new("enotify", NotifyMethodCapability.Make),
    }.ToFrozenDictionary();
}
