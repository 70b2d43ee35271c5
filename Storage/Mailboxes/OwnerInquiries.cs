using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using MailCluster.Contracts;
using Npgsql;

namespace MailCluster.Storage.Mailboxes;

/// <summary>What is told to the owner of a mailbox without joining the cluster.</summary>
/// <param name="Reply">Not null: a question; the owner answers it with <see cref="OwnerInquiries.AnswerAsync"/>.</param>
/// <param name="Epoch">Not null: the rows were changed by somebody else; a claim of this epoch or an older one is over.</param>
/// <param name="End">With <paramref name="Epoch"/>: the mailbox's sessions can't follow the change and end.</param>
public sealed record OwnerInquiry(MailboxKey Mailbox, string? Reply, long? Epoch, bool End);

/// <summary>What only the owner of a mailbox knows.</summary>
/// <param name="Node">The silo's name.</param>
/// <param name="Address">Its address with generation, as in the membership.</param>
/// <param name="Since">When it claimed the mailbox.</param>
/// <param name="Loaded">The messages are in its memory.</param>
/// <param name="UnderWay">Changes begun and not yet answered.</param>
/// <param name="Waiting">Those of them that wait in the commit lane and are in no batch yet.</param>
public sealed record OwnerAnswer(string Node, string Address, DateTimeOffset Since, long Epoch, bool Loaded, int UnderWay, int Waiting);

/// <summary>Questions to owners of mailboxes, and their answers, by PostgreSQL's NOTIFY: whoever asks needs no way to the nodes but the database.</summary>
public sealed class OwnerInquiries(NpgsqlDataSource database)
{
    // Migration 0010 tells it, too.
    private const string Channel = "mailcluster_owner";
    private const string ReplyPrefix = "mailcluster_reply_";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private sealed record Payload(string? Mailbox, string? Reply, long? Epoch, bool End);

    /// <summary>For silos: all that is told from now on, without end; what can't be understood is passed over. Holds one connection.</summary>
    public async IAsyncEnumerable<OwnerInquiry> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // What is missed while the connection is lost does no harm: a question is given up, and an owner whose claim is over is refused at its next change.
        await foreach (string? payload in new NotificationChannel(database, Channel).ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (payload is not null && Parse(payload) is { } inquiry)
                yield return inquiry;
        }
    }

    /// <summary>For the owner.</summary>
    /// <exception cref="StoreUnavailableException">PostgreSQL can't be reached.</exception>
    public Task AnswerAsync(OwnerInquiry inquiry, OwnerAnswer answer) => Store.Guard(async () =>
    {
        await using NpgsqlConnection connection = await database.OpenConnectionAsync();
        await NotificationChannel.NotifyAsync(connection, inquiry.Reply!, JsonSerializer.Serialize(answer, Json));
        return true;
    });

    /// <summary>Asks whoever owns the mailbox. Null: nobody answered in time; most likely nobody owns it now.</summary>
    /// <exception cref="StoreUnavailableException">PostgreSQL can't be reached.</exception>
    public Task<OwnerAnswer?> AskAsync(MailboxKey mailbox, TimeSpan patience) => Store.Guard(async () =>
    {
        string reply = ReplyPrefix + Guid.NewGuid().ToString("n");
        await using NpgsqlConnection connection = await database.OpenConnectionAsync();
        OwnerAnswer? answer = null;
        connection.Notification += (_, e) => answer ??= Answer(e.Payload);
        await using (var listen = new NpgsqlCommand("listen " + reply, connection))
            await listen.ExecuteNonQueryAsync();
        await NotificationChannel.NotifyAsync(connection, Channel, JsonSerializer.Serialize(new Payload(mailbox.ToString(), reply, null, false), Json));
        long deadline = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        while (answer is null && deadline - Environment.TickCount64 is > 0 and var left && await connection.WaitAsync(TimeSpan.FromMilliseconds(left)))
        {
            // Answered, or something else was heard.
        }
        await using var unlisten = new NpgsqlCommand("unlisten " + reply, connection);
        await unlisten.ExecuteNonQueryAsync();
        return answer;
    });

    private static OwnerInquiry? Parse(string payload)
    {
        try
        {
            // The reply's name goes into no statement, but nobody is to make a node tell other channels.
            return JsonSerializer.Deserialize<Payload>(payload, Json) is { Mailbox: { } mailbox } p && p.Reply?.StartsWith(ReplyPrefix, StringComparison.Ordinal) != false
                ? new OwnerInquiry(MailboxKey.Parse(mailbox), p.Reply, p.Epoch, p.End)
                : null;
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            return null;
        }
    }

    private static OwnerAnswer? Answer(string payload)
    {
        try
        {
            return JsonSerializer.Deserialize<OwnerAnswer>(payload, Json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
