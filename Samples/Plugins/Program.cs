using Microsoft.AspNetCore.Builder;
using Shop;

// The folder of the rules can be another: --plugins FOLDER. The address is ASP.NET's option: --urls http://localhost:5000
await using WebApplication shop = ShopApplication.Make(args);
await shop.RunAsync();
