using MailCluster.Consistency.Client;

namespace MailCluster.Consistency.Workload.Deeds;

/// <summary>A session of POP3 in INBOX, beside the clients of IMAP: reads some, marks some, and says QUIT, or goes without it: then nothing may be removed.</summary>
internal static class ByPop3
{
    public static async Task VisitAsync(Worker worker)
    {
        using Pop3Session? session = await Pop3Session.OpenAsync(worker.Context, worker.FrontEnd.Pop3!, worker.Account.User, worker.Account.Password);
        if (session is null)
            return;
        foreach ((int number, uint uid) in Some(worker, session, 4))
        {
            if (!await session.ReadAsync(number, uid, whole: worker.Chance(0.5)))
                return;
        }
        if (worker.Chance(0.7))
        {
            foreach ((int number, uint uid) in Some(worker, session, session.Messages.Count > worker.Options.Crowd ? 40 : 4))
                await session.MarkAsync(number, uid);
        }
        if (worker.Chance(0.85))
            await session.QuitAsync();
    }

    private static List<(int Number, uint Uid)> Some(Worker worker, Pop3Session session, int atMost)
    {
        if (session.Messages.Count == 0)
            return [];
        HashSet<int> picked = [.. Enumerable.Range(0, worker.Random.Next(1, atMost + 1)).Select(_ => worker.Random.Next(session.Messages.Count))];
        return [.. picked.Select(i => session.Messages[i])];
    }
}
