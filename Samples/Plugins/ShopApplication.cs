using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using WasmJit;
using WasmJit.Components;

namespace Shop;

/// <summary>
/// The shop: <c>POST /price</c> is a cart's price by all rules, and the rules are at <c>/plugins</c>. Who may change them is no subject here: put an authorisation before
/// <c>PUT</c> and <c>DELETE</c>.
/// </summary>
internal static class ShopApplication
{
    internal sealed record Cart(Item[] Items);

    /// <summary>A plug-in that has not done its work.</summary>
    internal sealed record Failure(string Plugin, string Problem);

    internal sealed record PluginChange(string Plugin, string Reason, int Cents);

    internal sealed record Price(long Cents, IReadOnlyList<PluginChange> Changes, IReadOnlyList<Failure> Failed);

    internal sealed record Plugin(string Name, string Rule);

    /// <summary>Makes the application, with the rules that are in the folder of plug-ins.</summary>
    internal static WebApplication Make(string[] args)
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
        WebApplication app = builder.Build();
        var rules = new Rules(new Stock(new Dictionary<string, uint> { ["pencil"] = 500, ["paper"] = 90, ["lamp"] = 3 }));
        string folder = builder.Configuration["plugins"] ?? Path.Combine(AppContext.BaseDirectory, "plugins");
        foreach (string file in Directory.EnumerateFiles(folder, "*.wa?*").Where(f => Path.GetExtension(f) is ".wasm" or ".wat"))
            rules.Put(Path.GetFileNameWithoutExtension(file), File.ReadAllBytes(file));

        app.MapGet("/plugins", () => rules.Current.Select(each => new Plugin(each.Key, rules.Run(each.Value, rule => rule.Describe()))));
        app.MapPut("/plugins/{name}", async (string name, HttpRequest request) =>
        {
            // The server bounds what it reads.
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            try
            {
                rules.Put(name, body.ToArray());
                return Results.NoContent();
            }
            catch (Exception e) when (IsOfPlugin(e))
            {
                return Results.BadRequest(new Failure(name, e.Message));
            }
        });
        app.MapDelete("/plugins/{name}", (string name) => rules.Remove(name) ? Results.NoContent() : Results.NotFound());
        app.MapPost("/price", (Cart cart) => PriceOf(cart, rules));
        return app;
    }

    /// <summary>The price of a cart. A rule may refuse the cart; one that fails is left out.</summary>
    private static IResult PriceOf(Cart cart, Rules rules)
    {
        long cents = cart.Items.Sum(i => (long)i.Cents * i.Quantity);
        var changes = new List<PluginChange>();
        var failed = new List<Failure>();
        foreach ((string name, WasmComponent component) in rules.Current)
        {
            try
            {
                foreach (Change change in rules.Run(component, rule => rule.Apply(cart.Items)))
                {
                    changes.Add(new PluginChange(name, change.Reason, change.Cents));
                    cents += change.Cents;
                }
            }
            catch (ComponentErrorException refusal)
            {
                return Results.UnprocessableEntity(new Failure(name, refusal.Error.AsString()));
            }
            catch (Exception e) when (IsOfPlugin(e))
            {
                failed.Add(new Failure(name, e.Message));
            }
        }
        return Results.Ok(new Price(cents, changes, failed));
    }

    /// <summary>What a plug-in has done wrong: it is no component or no rule, it trapped, or it wanted more than it may have.</summary>
    private static bool IsOfPlugin(Exception e) => e is WasmJitException;
}
